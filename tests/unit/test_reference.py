# SPDX-License-Identifier: Apache-2.0
"""The reference is made from the code, and the committed pages say what the code says now."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest

from hadeb import model
from hadeb.cli import hadeb
from hadeb.reference import commands_page, manifest_page
from hadeb.schema import schema
from reference import pages


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


def test_every_command_and_option_is_on_the_page() -> None:
    page = commands_page(hadeb)
    assert hadeb.commands
    for name, command in hadeb.commands.items():
        assert f"\n## hadeb {name}\n" in page
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert all(word in page for option in options for word in option.opts)
