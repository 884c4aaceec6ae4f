# SPDX-License-Identifier: Apache-2.0
"""The rules that the agents' tests cite are in the reference."""

from __future__ import annotations

import ast
import re

from support.command import ROOT

RULES = ROOT / "docs/reference/ocf-rules.md"


def cited() -> dict[int, str]:
    """Each rule that the name of a test of the agents cites, with the first such name."""
    rules: dict[int, str] = {}
    for place in ("tests/system/agents", "tests/integration/agents"):
        for file in sorted((ROOT / place).glob("test_*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_rule_"):
                    numbers = re.match(r"test_rule_((?:\d+_)+)", node.name)
                    assert numbers, node.name
                    for number in numbers[1].strip("_").split("_"):
                        rules.setdefault(int(number), node.name)
    return rules


def listed() -> list[int]:
    return [int(number) for number in re.findall(r"(?m)^(\d+)\. \S", RULES.read_text("utf-8"))]


def test_every_rule_that_a_test_cites_is_listed() -> None:
    rules = cited()
    assert len(rules) > 40
    assert {number: name for number, name in rules.items() if number not in listed()} == {}


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert listed() == list(range(1, len(listed()) + 1))
