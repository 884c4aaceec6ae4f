# SPDX-License-Identifier: Apache-2.0
"""The reference is made from the code, and the committed pages say what the code says now."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hadeb.cli.main import hadeb
from hadeb.lab.fault.catalogue import EXPECTED, FAULTS
from hadeb.manifest import model
from hadeb.manifest.schema import schema
from tools.manifest_page import commands_page, manifest_page
from tools.reference import pages


@pytest.mark.parametrize("path", pages(), ids=[path.name for path in pages()])
def test_a_committed_page_is_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "run: make reference"


def test_every_key_of_every_table_has_a_row_with_its_meaning() -> None:
    page = manifest_page()
    for field in dataclasses.fields(model.Manifest):
        assert f"[{field.name.replace('_', '-')}]" in page
    for table in schema()["$defs"].values():
        for key, rule in table["properties"].items():
            rows = [line for line in page.splitlines() if line.startswith(f"| `{key}` |")]
            assert all(row.count(" | ") == 3 for row in rows)
            assert any(rule["description"] in row for row in rows), f"{key} has no row"


def test_every_link_to_a_kind_leads_to_its_heading() -> None:
    lines = manifest_page().splitlines()
    headings = {line.lstrip("# ").replace(" ", "-") for line in lines if line.startswith("#")}
    linked = {part.split(")")[0] for line in lines for part in line.split("](#")[1:]}
    assert linked
    assert linked <= headings


def below(group: click.Group, place: str) -> Iterator[tuple[str, click.Command]]:
    """Every command of a group and of the groups in it, each with its whole name."""
    for name, command in group.commands.items():
        yield f"{place} {name}", command
        if isinstance(command, click.Group):
            yield from below(command, f"{place} {name}")


def test_every_command_and_option_is_on_the_page() -> None:
    sections = {part.split("\n")[0]: part for part in commands_page(hadeb).split("\n## ")[1:]}
    commands = dict(below(hadeb, "hadeb"))
    assert "hadeb lab run" in commands
    assert set(sections) == {"hadeb", *commands}
    for name, command in commands.items():
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert all(word in sections[name] for option in options for word in option.opts)
        assert "\\b" not in sections[name]


def test_every_fault_has_a_row_that_says_what_is_done_and_what_has_to_come_of_it() -> None:
    (page,) = [text for path, text in pages().items() if path.name == "faults.md"]
    for fault in FAULTS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{fault.name}` |")]
        assert EXPECTED[fault.expected] in row
        assert "{" not in row


def test_every_command_and_option_is_in_the_man_page() -> None:
    (page,) = [text for path, text in pages().items() if path.name == "hadeb.1"]
    plain = page.replace("\\-", "-")
    for name, command in below(hadeb, "hadeb"):
        assert f'.SS "{name} ' in plain
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert all(word in plain for option in options for word in option.opts)
