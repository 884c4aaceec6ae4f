# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab exec`, `shell`, `status` and `down`: the commands for a lab that is up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.errors import HadebError, UsageError

if TYPE_CHECKING:
    from hadeb.lab.cluster.persistent import Lab

# Every node has its description, and every terminal supports it.
_TERMINAL = "xterm"
_LAB = click.option(
    "--lab", "lab_id", default="", help="The lab, if you brought up several in this directory."
)
_ALL = click.option(
    "--all", "everybodys", is_flag=True, help="Also labs of other users and directories."
)


@click.command(
    name="exec",
    short_help="Run a command on a node.",
    # Everything after NODE, options included, is for the other program.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_LAB
@click.argument("node")
@click.argument("argv", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@command
def execute(call: Call, lab_id: str, node: str, argv: Sequence[str]) -> None:
    """Run a command as root on a node of a lab that is up.

    Options of hadeb come before NODE.
    """
    from hadeb.run import become

    command_line = argv[1:] if argv[0] == "--" else argv
    if not command_line:
        raise click.UsageError("Missing argument 'COMMAND...'.", click.get_current_context())
    become([*_chosen(call, lab_id)[node].inside, *command_line])


@click.command(short_help="Open a shell on a node.")
@_LAB
@click.argument("node")
@command
def shell(call: Call, lab_id: str, node: str) -> None:
    """Open a root shell on a node of a lab that is up."""
    from hadeb.run import become

    inside = _chosen(call, lab_id)[node].inside
    become([*inside, "env", f"TERM={_TERMINAL}", "bash", "--login"])


@click.command(short_help="Show the labs that are up.")
@_ALL
@JSON
@command
def status(call: Call, everybodys: bool, as_json: bool) -> None:
    """Show the labs that you brought up in this directory, and their nodes."""
    own, others = _labs(call)
    running = [*own, *others] if everybodys else own
    if as_json:
        terminal.result_json([_as_json(lab) for lab in running])
        return
    for lab in running:
        nodes = "  ".join(f"{node.name} {'on' if node.is_on else 'off'}" for node in lab.nodes)
        whose = f"  {lab.origin}" if everybodys else ""
        terminal.result(f"{lab.namespaces.id}  {lab.suite:<9} {nodes}{whose}")
    if not running:
        call.info("no lab is up; start one with: hadeb lab up")
    if others and not everybodys:
        call.info(f"{_listed(others)}: hadeb lab status --all")


def _as_json(lab: Lab) -> dict[str, object]:
    return {
        "id": lab.namespaces.id,
        "suite": lab.suite,
        "user": lab.origin.user,
        "directory": lab.origin.directory,
        "nodes": [{"name": node.name, "address": node.ip, "on": node.is_on} for node in lab.nodes],
    }


@click.command(short_help="Stop labs.")
@click.argument("ids", nargs=-1, metavar="[LAB]...")
@_ALL
@command
def down(call: Call, ids: Sequence[str], everybodys: bool) -> None:
    """Stop the labs with these names, or those that you brought up in this directory.

    It also removes what killed labs left. On a terminal it asks before it stops several. It does
    not touch the lab of a `hadeb lab run` that is still running.
    """
    from hadeb.lab.cluster.persistent import Lab

    if ids and everybodys:
        raise UsageError("--all stops every lab; leave the names out")
    own, others = ([Lab.attach(name) for name in ids], []) if ids else _labs(call)
    chosen = [*own, *others] if everybodys else own
    if not ids and len(chosen) > 1 and terminal.is_interactive():
        names = "\n".join(f"  {lab.namespaces.id}  {lab.origin}" for lab in chosen)
        if not click.confirm(f"{names}\nstop these {len(chosen)} labs?", err=True):
            raise HadebError("no lab was stopped", hint="name those to stop: hadeb lab down LAB...")
    for lab in chosen:
        lab.down()
        call.info(f"{lab.namespaces.id} is down")
    if others and not everybodys:
        call.info(f"{_listed(others)}: name them, or use hadeb lab down --all")


def _labs(call: Call) -> tuple[list[Lab], list[Lab]]:
    """The labs that the caller brought up in this directory, and all others."""
    from hadeb.lab.cluster.persistent import Origin, labs

    here = Origin.of(call.context)
    running = labs()
    return (
        [lab for lab in running if lab.origin.is_same(here)],
        [lab for lab in running if not lab.origin.is_same(here)],
    )


def _chosen(call: Call, name: str) -> Lab:
    """The lab of this name; without one, the lab that the caller brought up in this directory."""
    from hadeb.lab.cluster.persistent import Lab

    if name:
        return Lab.attach(name)
    own, others = _labs(call)
    if len(own) == 1:
        return own[0]
    names = [lab.namespaces.id for lab in own]
    if own and terminal.is_interactive():
        wanted = click.prompt("which lab", type=click.Choice(names), err=True)
        return own[names.index(wanted)]
    if own:
        raise UsageError(f"there are several labs: {', '.join(names)}", hint="name one with --lab")
    if others:
        raise UsageError(
            "you brought up no lab in this directory",
            hint=f"{_listed(others)}: name one with --lab, or start one with: hadeb lab up",
        )
    raise UsageError("there is no lab", hint="start one with: hadeb lab up")


def _listed(others: Sequence[Lab]) -> str:
    labs = ", ".join(f"{lab.namespaces.id} ({lab.origin})" for lab in others)
    return f"brought up elsewhere: {labs}"
