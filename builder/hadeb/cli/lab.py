# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab`: a real cluster on this machine, to look at and to prove a bundle on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.debian.releases import SUITES, Suite

_MANIFEST = click.option(
    "-m",
    "--manifest",
    type=click.Path(path_type=Path),
    default=Path("bundle.toml"),
    show_default=True,
    help="The bundle: a manifest, or a directory that has one.",
)
_SUITE = click.option(
    "--suite",
    type=click.Choice(SUITES),
    default=SUITES[0],
    show_default=True,
    help="Debian release.",
)
_NODES = click.option(
    "--nodes", type=click.IntRange(2, 5), default=3, show_default=True, help="How many nodes."
)
# What the nodes have a description of, and all terminals can do.
_TERMINAL = "xterm"
_LAB = click.option("--lab", "lab_id", default="", help="Which lab, where there are several.")


@click.group(short_help="Boot a real cluster here, and prove a bundle on it.")
def lab() -> None:
    """A throw-away Pacemaker cluster on this machine, and proofs on it. Needs root.

    `hadeb lab run` proves the bundle of this directory under all faults, with a report.
    `hadeb lab up` boots a cluster with the bundle on it, to look at.
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


@lab.command(short_help="Try every fault on a real cluster, and report.")
@click.argument("faults", nargs=-1, metavar="[FAULT]...", shell_complete=_complete_fault)
@click.option("--smoke", is_flag=True, help="Only the few faults that say most in a minute.")
@click.option("--compare", is_flag=True, help="Try the plain systemd: resource beside it.")
@click.option(
    "-o",
    "--report",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("lab-report"),
    show_default=True,
    help="Where report.html, report.json, report.xml and the logs go.",
)
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
    directory: Path,
    manifest: Path,
    suite: Suite,
    nodes: int,
    as_json: bool,
) -> None:
    """Prove the bundle: boot a cluster, try each FAULT, and say how long nobody answered.

    Without a FAULT it tries all that `hadeb lab faults` lists. Ends with 4 where something fell
    short.
    """
    from hadeb.lab.fault.catalogue import SMOKE, chosen
    from hadeb.lab.report.as_json import report_json
    from hadeb.lab.report.table import table
    from hadeb.lab.report.write import write_reports
    from hadeb.lab.trial.run import run_lab
    from hadeb.package.plan_all import plan_all

    if smoke and faults:
        raise click.UsageError("--smoke names the faults itself", click.get_current_context())
    wanted = chosen(SMOKE if smoke else tuple(faults))
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
    )
    page = write_reports(report, directory)
    if as_json:
        terminal.result_json(report_json(report))
    else:
        terminal.result(table(report).rstrip("\n"))
    call.info(f"the report is {page}")
    if not report.passed:
        raise SystemExit(4)


@lab.command(short_help="List the faults.")
@JSON
@command
def faults(call: Call, as_json: bool) -> None:
    """List the faults that `hadeb lab run` tries, and how the service has to come through."""
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


@lab.command(short_help="Boot a cluster that stays.")
@click.option("--bare", is_flag=True, help="Leave the bundle out: a cluster with no resources.")
@_MANIFEST
@_SUITE
@_NODES
@command
def up(call: Call, bare: bool, manifest: Path, suite: Suite, nodes: int) -> None:
    """Boot a cluster with the bundle on it, and print the lab's name. It stays until `down`."""
    from hadeb.lab.cluster.cluster import Cluster
    from hadeb.lab.host.registry import scratch
    from hadeb.lab.scenario.scenario import deploy, scenario_of
    from hadeb.package.plan_all import plan_all

    with scratch() as work:
        scenario = None
        if not bare:
            (planned,) = plan_all([manifest], call.context)
            scenario = scenario_of(planned.manifest, planned.package, suite, work, call.info)
        with Cluster(
            suite,
            size=nodes,
            fencing=True,
            totem=scenario.table.totem if scenario else {},
            packages=scenario.packages if scenario else (),
            info=call.info,
        ) as cluster:
            if scenario:
                call.info(f"installing {scenario.deb.name}, and starting its resources")
                deploy(cluster, scenario)
            cluster.persist()
            terminal.result(cluster.namespaces.id)
    call.info("look around with: hadeb lab shell ha1; end it with: hadeb lab down")


@lab.command(
    name="exec",
    short_help="Run a command on a node.",
    # What follows the node is the other program's, its options too.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_LAB
@click.argument("node")
@click.argument("argv", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@command
def execute(call: Call, lab_id: str, node: str, argv: Sequence[str]) -> None:
    """Run a command on a node of a lab that is up, as root.

    Options of hadeb go before NODE.
    """
    from hadeb.lab.cluster.persistent import Lab
    from hadeb.run import become

    command_line = argv[1:] if argv[0] == "--" else argv
    become([*Lab.attach(lab_id)[node].inside, *command_line])


@lab.command(short_help="Open a shell on a node.")
@_LAB
@click.argument("node")
@command
def shell(call: Call, lab_id: str, node: str) -> None:
    """Open a shell on a node of a lab that is up, as root."""
    from hadeb.lab.cluster.persistent import Lab
    from hadeb.run import become

    inside = Lab.attach(lab_id)[node].inside
    become([*inside, "env", f"TERM={_TERMINAL}", "bash", "--login"])


@lab.command(short_help="Show the labs that are up.")
@JSON
@command
def status(call: Call, as_json: bool) -> None:
    """Show the labs that are up, and their nodes."""
    from hadeb.lab.cluster.persistent import labs

    running = labs()
    if as_json:
        terminal.result_json(
            [
                {
                    "id": lab.namespaces.id,
                    "suite": lab.suite,
                    "nodes": [
                        {"name": node.name, "address": node.ip, "on": node.is_on}
                        for node in lab.nodes
                    ],
                }
                for lab in running
            ]
        )
        return
    for lab in running:
        nodes = "  ".join(f"{node.name} {'on' if node.is_on else 'off'}" for node in lab.nodes)
        terminal.result(f"{lab.namespaces.id}  {lab.suite:<9} {nodes}")
    if not running:
        call.info("no lab is up; start one with: hadeb lab up")


@lab.command(short_help="End the labs that are up.")
@click.argument("ids", nargs=-1, metavar="[LAB]...")
@command
def down(call: Call, ids: Sequence[str]) -> None:
    """End the labs of these names, or all that are up, and remove what killed ones left.

    A `hadeb lab run` that goes on elsewhere is left alone.
    """
    from hadeb.lab.cluster.persistent import Lab, labs

    for lab in [Lab.attach(name) for name in ids] if ids else labs():
        lab.down()
        call.info(f"{lab.namespaces.id} is down")
