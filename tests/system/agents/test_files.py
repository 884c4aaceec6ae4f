# SPDX-License-Identifier: Apache-2.0
"""The agents as files: rules 1-9."""

from __future__ import annotations

import re

import pytest

from hadeb.lab.node.node import Node
from hadeb.run import run
from support.command import ROOT
from support.resource import AGENTS, PROVIDER


def test_rule_01_02_an_agent_that_root_cannot_run_or_others_can_change(
    node: Node, agent: str
) -> None:
    found = node.exec("stat", "--format=%a %U:%G %F", f"{PROVIDER}/{agent}").stdout
    assert found.strip() == "755 root:root regular file"


def test_rule_03_an_interpreter_that_is_not_there(node: Node, agent: str) -> None:
    shebang = node.read(f"{PROVIDER}/{agent}").split(b"\n")[0].decode()
    assert shebang == "#!/bin/sh"
    node.exec("test", "-x", "/bin/sh")


def test_rule_04_a_placeholder_that_nobody_filled_in(node: Node, agent: str) -> None:
    text = node.read(f"{PROVIDER}/{agent}").decode()
    assert not re.search(r"@[A-Z_]+@|\{\{|\{%", text)


@pytest.mark.parametrize("name", AGENTS)
def test_rule_05_06_a_name_or_a_licence_that_does_not_fit(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    head = (ROOT / "agents" / name).read_text(encoding="utf-8").splitlines()[1]
    assert head == "# SPDX-License-Identifier: Apache-2.0"


def test_rule_07_a_bashism_is_found_by_dash(node: Node, agent: str) -> None:
    assert node.exec("readlink", "--canonicalize", "/bin/sh").stdout.strip().endswith("/dash")
    node.exec("dash", "-n", f"{PROVIDER}/{agent}")


@pytest.mark.parametrize("name", AGENTS)
def test_rule_07_08_what_shellcheck_says_of_posix_sh(name: str) -> None:
    done = run(["shellcheck", "--shell=sh", str(ROOT / "agents" / name)], check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", AGENTS)
def test_shellcheck_is_silenced_only_with_a_reason(name: str) -> None:
    text = (ROOT / "agents" / name).read_text(encoding="utf-8")
    for line in re.findall(r"# shellcheck .*", text):
        assert re.search(r"=\S+ # \w+", line), line


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_that_sleeps(name: str) -> None:
    text = (ROOT / "agents" / name).read_text(encoding="utf-8")
    assert not re.search(r"\bsleep\b", text)
