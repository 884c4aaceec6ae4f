# SPDX-License-Identifier: Apache-2.0
"""The command line: commands call the layers below, and errors become exit codes."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hadeb import __version__, interrupt
from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.cli.failure import report
from hadeb.cli.lab import lab
from hadeb.cli.publish import promote, prune, publish, rollback
from hadeb.cli.repo import repo

if TYPE_CHECKING:
    from hadeb.package.plan_all import Planned

_MANIFESTS = click.argument("manifests", nargs=-1, type=click.Path(path_type=Path))


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: hadeb build, in a directory with a bundle.toml.",
)
@click.version_option(__version__, message="hadeb %(version)s")
def hadeb() -> None:
    """Turn a daemon into a highly available Debian package.

    A bundle.toml describes the daemon, its OCF agent and its service. hadeb builds one package
    from it, for every node of a Pacemaker cluster.
    """


@hadeb.command()
@_MANIFESTS
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="The directory for the packages.",
)
@JSON
@command
def build(call: Call, manifests: Sequence[Path], output: Path, as_json: bool) -> None:
    """Build the .deb of each manifest, and print its path.

    MANIFESTS are files, or directories with a bundle.toml; the default is ./bundle.toml.
    If one of them is wrong, hadeb writes nothing.
    """
    from hadeb.package.build import build as write_packages
    from hadeb.package.plan_all import plan_all

    started = time.perf_counter()
    planned = plan_all(manifests, call.context)
    _warn(call, planned)
    built = write_packages([each.package for each in planned], output)
    if as_json:
        receipts = [dataclasses.asdict(receipt) for receipt in built]
        terminal.result_json(receipts[0] if len(receipts) == 1 else receipts)
    else:
        for receipt in built:
            terminal.result(str(receipt.path))
    call.debug(f"{len(built)} built in {time.perf_counter() - started:.2f} s")


def _warn(call: Call, planned: Sequence[Planned]) -> None:
    """Show what may be wrong in the manifests."""
    for each in planned:
        for doubt in each.doubts:
            call.warning(f"warning: {doubt}")


@hadeb.command(short_help="Show a package, and what dpkg will run.")
@_MANIFESTS
@JSON
@click.option("--pcs", is_flag=True, help="Print the pcs commands that create the [cluster].")
@click.option("--crm", is_flag=True, help="Print the crmsh commands that create the [cluster].")
@command
def plan(call: Call, manifests: Sequence[Path], as_json: bool, pcs: bool, crm: bool) -> None:
    """Show what the package will contain, and what each dpkg transition will run.

    MANIFESTS are files, or directories with a bundle.toml; the default is ./bundle.toml.
    On a node, hadeb plan --pcs | sudo sh creates the resources that the manifest describes.
    """
    from hadeb.cli.plan_view import cluster_text, plan_json, plan_text
    from hadeb.package.plan_all import plan_all

    if as_json + pcs + crm > 1:
        context = click.get_current_context()
        raise click.UsageError("--json, --pcs and --crm exclude each other", context)
    planned = plan_all(manifests, call.context)
    _warn(call, planned)
    if as_json:
        plans = [plan_json(each) for each in planned]
        terminal.result_json(plans[0] if len(plans) == 1 else plans)
    elif pcs or crm:
        texts = [cluster_text(each, call.warning, crmsh=crm) for each in planned]
        terminal.result("\n\n".join(texts))
    else:
        terminal.result("\n\n".join(plan_text(each) for each in planned))


@hadeb.command(short_help="Show what this machine lacks.")
@JSON
@command
def doctor(call: Call, as_json: bool) -> None:
    """Show what this machine lacks for the lab and for publishing, and the line that installs it.

    Exits with 5 if something is missing. Building needs none of it.
    """
    from hadeb.doctor import diagnose, install_line

    diagnoses = diagnose(call.context)
    if as_json:
        terminal.result_json([dataclasses.asdict(diagnosis) for diagnosis in diagnoses])
    else:
        for diagnosis in diagnoses:
            state = "ok     " if diagnosis.present else "missing"
            rest = f": {diagnosis.remedy}" if diagnosis.remedy else ""
            terminal.result(f"{state}  {diagnosis.task:<8} {diagnosis.what}{rest}")
    if not call.quiet and (line := install_line(diagnoses)):
        terminal.note(line)
    if not all(diagnosis.present for diagnosis in diagnoses):
        raise SystemExit(5)


@hadeb.command()
@command
def schema(call: Call) -> None:
    """Print the JSON schema of bundle.toml, for editors and tools."""
    from hadeb.manifest.schema import schema as manifest_schema

    terminal.result_json(manifest_schema())


@hadeb.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@command
def completion(call: Call, shell: str) -> None:
    """Print the code that completes hadeb's commands in a shell.

    For bash, add to ~/.bashrc:  eval "$(hadeb completion bash)"
    """
    from click.shell_completion import get_completion_class

    if completer := get_completion_class(shell):
        terminal.result(completer(hadeb, {}, "hadeb", "_HADEB_COMPLETE").source())


for _command in (lab, publish, promote, rollback, prune, repo):
    hadeb.add_command(_command)


def main() -> None:
    """Run the command, and exit with its code; no failure shows a traceback."""
    code = _exit_code()
    if interrupt.was_raised():
        # Whatever an interrupt became on its way here.
        code = interrupt.EXIT_CODE
    terminal.finish()
    sys.exit(code)


def _exit_code() -> int:
    try:
        return hadeb.main(prog_name="hadeb", standalone_mode=False) or 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return interrupt.EXIT_CODE
    except click.ClickException as failure:
        failure.show()
        return failure.exit_code
    except Exception as failure:
        return report(failure)
