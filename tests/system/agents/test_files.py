# SPDX-License-Identifier: Apache-2.0
"""The agents as installed files: rules 1-9."""

from __future__ import annotations

import re

from hadeb.lab.node.node import Node
from support.resource import PROVIDER


def test_rule_01_02_an_agent_is_executable_and_root_s_in_its_providers_directory(
    node: Node, agent: str
) -> None:
    status = node.exec("stat", "--format=%a %U:%G %F", f"{PROVIDER}/{agent}").stdout
    assert status.strip() == "755 root:root regular file"


def test_rule_03_the_interpreter_is_there(node: Node, agent: str) -> None:
    shebang = node.read(f"{PROVIDER}/{agent}").split(b"\n")[0].decode()
    assert shebang == "#!/bin/sh"
    node.exec("test", "-x", "/bin/sh")


def test_rule_04_no_placeholder_is_left(node: Node, agent: str) -> None:
    text = node.read(f"{PROVIDER}/{agent}").decode()
    assert not re.search(r"@[A-Z_]+@|\{\{|\{%", text)


def test_rule_07_dash_parses_the_agent(node: Node, agent: str) -> None:
    assert node.exec("readlink", "--canonicalize", "/bin/sh").stdout.strip().endswith("/dash")
    node.exec("dash", "-n", f"{PROVIDER}/{agent}")
