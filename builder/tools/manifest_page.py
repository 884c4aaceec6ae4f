# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/reference/ that are made from the code: the manifest, and the commands."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import click

from hadeb.debian.licenses import COMMON_LICENSES
from hadeb.manifest import constraints, model, values
from hadeb.manifest.hints import Choice, Field, ListOf, MapOf, Scalar, Table, Type, fields_of
from hadeb.manifest.schema import meanings

# What is allowed where a type says less than the check behind it.
_KINDS: dict[object, tuple[str, str]] = {
    values.Line: ("line", "Text of one line that is not empty and has no control characters."),
    values.Paragraphs: ("text", "Text of any number of lines; no control characters."),
    values.SourcePath: (
        "source path",
        (
            "A relative path, from the manifest's directory and not out of it: no leading `/`, no "
            "`..`. What it names must exist."
        ),
    ),
    values.AbsolutePath: (
        "installed path",
        (
            "An absolute path without blanks, `.`, `..` or a doubled or trailing `/`. Not below "
            "`/usr/local`, `/run`, `/tmp`, `/home` or another place that is not a package's, and "
            "not below `/bin`, `/sbin` or `/lib`, which are aliases: write `/usr/bin` and so on."
        ),
    ),
    values.OneCommand: (
        "single command line",
        "A command line in which no `;` stands by itself: systemd would take it for two.",
    ),
    values.CommandLine: (
        "command line",
        (
            "One line that begins with the program's absolute path, in systemd's syntax: `%i` is "
            "a specifier, `%%` a percent sign; no backslash at its end."
        ),
    ),
    values.UnitText: (
        "unit text",
        "One line, in which `%i` is a specifier of systemd and `%%` a percent sign.",
    ),
    values.PackageName: (
        "package name",
        "Two or more lower-case letters, digits, `+`, `-` and `.`; a letter or digit first.",
    ),
    values.Version: (
        "version",
        (
            "A Debian version: a digit first, then letters, digits, `.`, `+` and `~`; an epoch "
            "such as `1:` before it and a revision such as `-2` after it where there is one."
        ),
    ),
    values.Maintainer: ("person", "A name and an address: `Jane Roe <jane@example.org>`."),
    values.Copyright: ("copyright line", "A year or years, then a name: `2024-2026 Jane Roe`."),
    values.ProviderName: (
        "provider name",
        (
            "One directory name of letters, digits, `_` and `-`; neither `heartbeat` nor "
            "`pacemaker`, which belong to others."
        ),
    ),
    values.Relation: (
        "relation",
        "As in a control file: `name`, `name (>= 1.2)`, `name | other`.",
    ),
    values.SingleRelation: (
        "relation to one package",
        "As in a control file, without alternatives: `name`, `name (<< 1.2)`.",
    ),
    values.Provision: (
        "provision",
        "A package's name, alone or with the one version that is provided: `name (= 1.2)`.",
    ),
    values.WebAddress: ("web address", "Begins with `https://` or `http://`."),
    values.FileMode: ("file mode", 'Octal permissions as text: `"0644"`.'),
    values.Capability: ("capability", "A capability's name, such as `CAP_NET_BIND_SERVICE`."),
    values.UserName: ("user name", "Letters, digits, `_` and `-`; a letter or `_` first."),
    values.EnvironmentName: ("variable name", "Letters, digits and `_`; not a digit first."),
    values.Duration: (
        "duration",
        "A whole number and its unit: `s`, `min` or `h`. Without a unit, seconds.",
    ),
    values.Score: ("score", "A whole number, `INFINITY` or `-INFINITY`."),
    values.ResourceName: (
        "resource name",
        "Up to 100 letters, digits, `_`, `.` and `-`; a letter or `_` first.",
    ),
    values.OptionName: (
        "option name",
        "Letters, digits, `_`, `.` and `-`; a letter or `_` first.",
    ),
    values.AgentName: (
        "agent name",
        "`ocf:PROVIDER:TYPE`, `systemd:UNIT`, `service:NAME` or `lsb:NAME`.",
    ),
    values.IpAddress: ("address", "An IPv4 or IPv6 address of one machine, without a zone."),
    values.Expectation: ("regular expression", "As Python's module `re` takes it."),
    values.Architecture: ("architecture", f"One of {', '.join(values.ARCHITECTURES)}."),
    values.Section: ("section", f"One of {', '.join(values.SECTIONS)}."),
}

_PLAIN = {str: "text", int: "whole number", bool: "`true` or `false`"}

_WIDTH = 90

# What a page that is made begins with; {source} is where to edit instead.
NOTICE = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by `make reference`; edit {source} instead. -->
"""

_MANIFEST_HEAD = """\
# The manifest

A bundle is described by one file, `bundle.toml`, in [TOML](https://toml.io). Every table and every
key that it may have is on this page; an unknown key is an error. `hadeb schema` prints the same as
a JSON schema, for editors. All paths of sources are relative to the manifest.

`hadeb plan` checks a manifest without writing anything. It reports all findings together, each with
its file, line and key, and ends with exit code 3.
"""

_COMMANDS_HEAD = """\
# The command

Results go to stdout and all else to stderr, so that `sudo apt install ./$(hadeb build)` works.
[Exit codes and environment variables](exit-codes-and-environment.md) are the same for all
commands. In a checkout, `make deb` sets up `.venv/bin/hadeb` before it calls it.
"""


def manifest_page() -> str:
    """docs/reference/manifest.md, from the model and its docstrings."""
    parts = [NOTICE.format(source="builder/hadeb/manifest/model.py"), _MANIFEST_HEAD]
    parts.extend(_section(field.key, field) for field in fields_of(model.Manifest))
    parts.append(_kinds())
    return "\n".join(parts)


def commands_page(group: click.Group) -> str:
    """docs/reference/commands.md, from the help of a group's commands."""
    parts = [NOTICE.format(source="builder/hadeb/cli/main.py"), _COMMANDS_HEAD]
    top = group.make_context("hadeb", [], resilient_parsing=True, terminal_width=_WIDTH)
    parts.append(_help(top))
    parts.extend(_below(group, top))
    return "\n".join(parts)


def _below(group: click.Group, context: click.Context) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        below = command.make_context(
            name, [], parent=context, resilient_parsing=True, terminal_width=_WIDTH
        )
        yield _help(below)
        if isinstance(command, click.Group):
            yield from _below(command, below)


def _help(context: click.Context) -> str:
    return f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


def _section(name: str, field: Field) -> str:
    """The section of a key that is a table or a list of tables, and of the tables in it."""
    table = _table_of(field.type)
    many = isinstance(field.type.shape, ListOf)
    title = f"[[{name}]]" if many else f"[{name}]"
    must = (
        "at least one" if many and field.required else "required" if field.required else "optional"
    )
    rows = [
        "| key | type | default | meaning |",
        "| --- | --- | --- | --- |",
        *(_row(table, inner) for inner in fields_of(table)),
    ]
    lines = [f"## {title}", "", f"{_prose(inspect.getdoc(table) or '')} *({must})*", "", *rows]
    below = (
        _section(f"{name}.{inner.key}", inner)
        for inner in fields_of(table)
        if _table_of(inner.type)
    )
    return "\n".join(["\n".join(lines) + "\n", *below])


def _table_of(kind: Type) -> Any:
    """The dataclass of a table or of a list of tables; None for any other type."""
    match kind.shape:
        case Table(table) | ListOf(Type(shape=Table(table))):
            return table
    return None


def _row(table: Any, field: Field) -> str:
    default = "**required**" if field.required else _default(field.default)
    meaning = _prose(meanings()[table.__name__, field.name])
    return f"| `{field.key}` | {_type(field.type)} | {default} | {meaning} |"


def _default(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case str() if value:
            return f'`"{value}"`'
        case int():
            return f"`{value}`"
        case tuple() if value:
            return f"`{json.dumps(value)}`"
    return "—"


def _type(kind: Type) -> str:
    if named := _kind(kind.hint):
        return f"[{named}](#{named.replace(' ', '-')})"
    words = _shape(kind)
    for constraint in kind.constraints:
        match constraint:
            case constraints.Between(low, high):
                words += f", {low} to {high}"
            case constraints.AtLeastOne():
                words += ", not empty"
            case constraints.Text():
                raise TypeError(f"a kind of text that _KINDS does not explain: {kind.hint}")
    return words


def _shape(kind: Type) -> str:
    match kind.shape:
        case Table():
            return "table"
        case Choice(values):
            return "one of " + ", ".join(f'`"{value}"`' for value in values)
        case ListOf(item):
            words = f"list of {_type(item)}".replace("of one of", "any of")
            return words.replace("list of table", "list of tables")
        case MapOf(key, value):
            by = f" by {_type(key)}" if _kind(key.hint) else ""
            return f"table of {_type(value)}{by}"
        case Scalar((plain,)) if plain in _PLAIN:
            return _PLAIN[plain]
        case Scalar():
            return "date, or date and time"


def _kind(hint: Any) -> str | None:
    return next((name for kind, (name, _) in _KINDS.items() if kind == hint), None)


def _kinds() -> str:
    lines = ["## Kinds of text", ""]
    for name, rule in sorted(_KINDS.values()):
        lines.extend([f"### {name}", "", rule, ""])
    licenses = ", ".join(f"`{name}`" for name in sorted(COMMON_LICENSES))
    lines.extend(
        [
            "## Licenses that need no license-file",
            "",
            f"Every Debian system has the text of these: {licenses}.",
        ]
    )
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """A docstring as one paragraph that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
