# SPDX-License-Identifier: Apache-2.0
"""hadeb(1), made from the help of the commands (groff_man(7))."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from hadeb import __version__

_HEAD = r""".\" SPDX-License-Identifier: Apache-2.0
.\" Made by `make reference`; edit builder/hadeb/cli instead.
"""

_EXIT_CODES = (
    ("0", "The command did what it was asked to do."),
    ("1", "It failed."),
    ("2", "The command line or a variable makes no sense."),
    ("3", "A manifest is wrong."),
    ("4", "There are findings: the lab or a verification reports what is not as it has to be."),
    ("5", "A program or a privilege is missing."),
    ("130", "The command was interrupted."),
)
_VARIABLES = (
    ("DEBFULLNAME, DEBEMAIL", "The maintainer, if the manifest has none."),
    ("SOURCE_DATE_EPOCH", "The time of every file in a package, in seconds since 1970."),
    ("HADEB_CACHE", "The directory for the images of the lab's nodes."),
    ("NO_COLOR, FORCE_COLOR", "Turn colors off or on."),
)
_SEE_ALSO = "dpkg(1), apt(8), pcs(8), crm(8), pacemaker(7), systemd.unit(5)"


def man_page(group: click.Group) -> str:
    """docs/hadeb.1, from the help of a group's commands."""
    top = group.make_context("hadeb", [], resilient_parsing=True)
    summary, *rest = _paragraphs(group)
    lines = [
        f'.TH HADEB 1 "" "hadeb {__version__}" "User Commands"',
        ".SH NAME",
        f"hadeb \\- {_text(summary[:1].lower() + summary[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B hadeb",
        ".I COMMAND",
        "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_joined(rest),
        ".PP",
        "Results go to stdout and everything else to stderr.",
        ".SH OPTIONS",
        "Every command takes these.",
        *_options(group.commands["build"], top, common=True),
        ".TP",
        "\\fB\\-\\-version\\fR",
        "Show the version and exit. Only before a command.",
        ".SH COMMANDS",
        *_commands(group, top),
        ".SH EXIT STATUS",
        *_listed(_EXIT_CODES),
        ".SH ENVIRONMENT",
        *_listed(_VARIABLES),
        ".SH SEE ALSO",
        _SEE_ALSO,
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    """The section of each command, those of groups after the group."""
    for name, command in sorted(group.commands.items()):
        below = command.make_context(name, [], parent=context, resilient_parsing=True)
        usage = " ".join(command.collect_usage_pieces(below))
        yield f'.SS "{_text(f"{below.command_path} {usage}")}"'
        yield from _joined(_paragraphs(command))
        yield from _options(command, below, common=False)
        if isinstance(command, click.Group):
            yield from _commands(command, below)


# The options that `hadeb.cli.command` gives to every command.
_COMMON = {"--help", "--quiet", "--verbose", "--debug"}


def _options(command: click.Command, context: click.Context, *, common: bool) -> Iterator[str]:
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option):
            continue
        record = parameter.get_help_record(context)
        if record and bool(_COMMON & {*parameter.opts}) is common:
            names, meaning = record
            yield from (".TP", f"\\fB{_text(names)}\\fR", _text(meaning))


def _paragraphs(command: click.Command) -> list[str]:
    text = inspect.cleandoc(command.help or "")
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n{2,}", text)]


def _joined(paragraphs: list[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield _text(paragraph)


def _listed(rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, meaning in rows:
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(meaning))


def _text(text: str) -> str:
    """A line of text for groff: a hyphen stays one that can be typed, a leading dot is text."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith((".", "'")) else text
