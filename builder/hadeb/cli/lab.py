# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab`: a real cluster on this machine, to inspect and to test a bundle on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from hadeb import interrupt
from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.cli.earlier_version import chosen_faults, earlier_version, file_of
from hadeb.cli.lab_up import down, execute, shell, status
from hadeb.debian.releases import SUITES, Suite
from hadeb.errors import HadebError

if TYPE_CHECKING:
    from hadeb.lab.verdict.result import Trial

F = TypeVar("F", bound=Callable[..., Any])
_MANIFEST = click.option(
    "-m",
    "--manifest",
    type=click.Path(path_type=Path),
    default=Path("bundle.toml"),
    show_default=True,
    help="The bundle: a manifest, or a directory with one.",
)
_SUITE = click.option(
    "--suite",
    type=click.Choice(SUITES),
    default=SUITES[0],
    show_default=True,
    help="The Debian release of the nodes.",
)
_NODES = click.option(
    "--nodes", type=click.IntRange(2, 5), default=3, show_default=True, help="The number of nodes."
)


def _report(help: str) -> Callable[[F], F]:
    """The option for the directory that gets what a command has to tell."""
    return click.option(
        "-o",
        "--report",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("lab-report"),
        show_default=True,
        help=help,
    )


@click.group(short_help="Boot a real cluster on this machine, and test a bundle on it.")
def lab() -> None:
    """Run a disposable Pacemaker cluster on this machine. Needs root.

    `hadeb lab run` tests the bundle in the current directory under every fault, and writes a
    report. `hadeb lab up` boots a cluster with the bundle on it for you to inspect.
    """


def _complete_fault(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from hadeb.lab.fault.catalogue import FAULTS

    return [
        CompletionItem(fault.name, help=fault.did.format(node="a node"))
        for fault in FAULTS
        if fault.name.startswith(incomplete)
    ]


@lab.command(short_help="Inject every fault into a real cluster, and report.")
@click.argument("faults", nargs=-1, metavar="[FAULT]...", shell_complete=_complete_fault)
@click.option("--smoke", is_flag=True, help="Try only the few most telling faults.")
@click.option("--compare", is_flag=True, help="Also test a plain systemd: resource, to compare.")
@earlier_version
@_report("The directory for report.html, report.json, report.xml and logs.")
@_MANIFEST
@_SUITE
@_NODES
@JSON
@command
def run(
    call: Call,
    faults: Sequence[str],
    smoke: bool,
    compare: bool,
    previous: Path | None,
    repository: Path | None,
    directory: Path,
    manifest: Path,
    suite: Suite,
    nodes: int,
    as_json: bool,
) -> None:
    """Test the bundle: boot a cluster, inject each FAULT, and measure the service's outage.

    Without a FAULT, hadeb tries all that `hadeb lab faults` lists. Exits with 4 if the service
    failed any of them.

    With --from, the cluster starts with an earlier version of the package. hadeb upgrades it node
    by node, tries the other faults, and goes back to the earlier version in the end.
    """
    from hadeb.lab.report.as_json import report_json
    from hadeb.lab.report.table import table
    from hadeb.lab.report.write import write_reports
    from hadeb.lab.trial.run import run_lab
    from hadeb.package.plan_all import plan_all

    wanted = chosen_faults(faults, smoke=smoke, previous=previous, repository=repository)
    (planned,) = plan_all([manifest], call.context)
    directory = call.context.directory / directory
    report = run_lab(
        planned.manifest,
        planned.package,
        wanted,
        suite=suite,
        size=nodes,
        compare=compare,
        directory=directory,
        info=call.info,
        debug=call.debug,
        previous=file_of(call, previous, repository, planned.package),
    )
    # First, so that a full disk does not lose them.
    if as_json:
        terminal.result_json(report_json(report))
    else:
        terminal.result(table(report).rstrip("\n"))
    call.info(f"the report is {write_reports(report, directory)}")
    if not report.passed:
        raise SystemExit(4)


@lab.command(short_help="List the faults.")
@JSON
@command
def faults(call: Call, as_json: bool) -> None:
    """List the faults that `hadeb lab run` tries, and what each expects of the service."""
    from hadeb.lab.fault.catalogue import EXPECTED, FAULTS

    if as_json:
        terminal.result_json(
            [
                {
                    "name": fault.name,
                    "did": fault.did,
                    "expected": fault.expected,
                    "smoke": fault.smoke,
                }
                for fault in FAULTS
            ]
        )
        return
    for fault in FAULTS:
        terminal.result(f"{fault.name:<18} {fault.did.format(node='the node')}")
        terminal.result(f"{'':<18}   {EXPECTED[fault.expected]}")


@lab.command(short_help="Boot a cluster that stays up.")
@click.option(
    "--bare", is_flag=True, help="Leave out the bundle: boot a cluster without resources."
)
@_report("The directory for the nodes' logs if the bundle does not run.")
@_MANIFEST
@_SUITE
@_NODES
@command
def up(call: Call, bare: bool, directory: Path, manifest: Path, suite: Suite, nodes: int) -> None:
    """Boot a cluster with the bundle on it, and print the lab's name.

    It stays up until `hadeb lab down`, even if the bundle's resources fail or crash-loop. hadeb
    then says what failed, keeps the nodes' logs, and exits with 1.
    """
    from hadeb.lab.cluster.cluster import Cluster
    from hadeb.lab.cluster.persistent import Origin
    from hadeb.lab.host.registry import scratch
    from hadeb.lab.scenario.scenario import scenario_of
    from hadeb.lab.trial.start import bring_up
    from hadeb.package.plan_all import plan_all

    with scratch() as work:
        scenario, network = None, None
        if not bare:
            (planned,) = plan_all([manifest], call.context)
            scenario = scenario_of(planned.manifest, planned.package, suite, work, call.info)
            network = scenario.network(nodes)
            for note in scenario.notes(nodes):
                call.info(note)
        with Cluster(
            suite,
            size=nodes,
            fencing=True,
            totem=scenario.table.totem if scenario else {},
            packages=scenario.packages if scenario else (),
            network=network,
            info=call.info,
        ) as cluster:
            trial = None
            if scenario:
                call.info(f"installing {scenario.deb.name}, and starting its resources")
                trial = bring_up(cluster, scenario, call.context.directory / directory / "logs")
            cluster.persist(Origin.of(call.context))
            terminal.result(cluster.namespaces.id)
            # It stays up now: from here on Ctrl-C comes too late.
            interrupt.ignore()
    if trial and not trial.passed:
        raise _does_not_run(trial, directory, cluster.namespaces.id)
    call.info("open a shell with: hadeb lab shell ha1; stop it with: hadeb lab down")


def _does_not_run(trial: Trial, directory: Path, id: str) -> HadebError:
    """The error of a lab that stays up, although the bundle does not run on it."""
    from hadeb.lab.report.table import reasons

    logs = ", ".join(str(directory / log) for log in trial.logs)
    return HadebError(
        "\n".join(("the bundle does not run as it should:", *reasons(trial))),
        hint=f"the lab {id} stays up to look into, for example with: hadeb lab exec --lab {id} ha1 "
        f"journalctl --boot; {f'the logs are in {logs}; ' if logs else ''}"
        f"stop it with: hadeb lab down {id}",
    )


for _command in (execute, shell, status, down):
    lab.add_command(_command)
