# SPDX-License-Identifier: Apache-2.0
"""The shell and Python parse a bundle's agents, and nothing runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import call_hadeb

TOUCH = 'touch "$0.ran" "$PWD/ran"\n'


def build(bundle: Path, agent: str) -> tuple[int, str]:
    (bundle / "greeter").write_text(agent, encoding="utf-8")
    call = call_hadeb("build", directory=bundle)
    assert not list(bundle.rglob("*ran")), "the agent was run"
    return call.code, call.stderr


@pytest.mark.parametrize(
    ("agent", "finding"),
    [
        ("#!/bin/sh\nif true; then\n", "greeter:3: sh cannot parse the agent: end of file"),
        ("#!/bin/sh\nstart() {\n:\n}\n}\n", 'greeter:5: sh cannot parse the agent: "}" unexpected'),
        ('#!/bin/sh\necho "x\n', "greeter:3: sh cannot parse the agent: Unterminated quoted"),
        ("#!/bin/sh\na=(1 2)\n", 'greeter:2: sh cannot parse the agent: "(" unexpected'),
        ("#!/bin/dash\nfor x in 1 2\necho\ndone\n", "greeter:3: dash cannot parse the agent: "),
        ("#!/bin/bash\ncase x in\nx) ;\nesac\n", "greeter:3: bash cannot parse the agent: "),
        ("#!/usr/bin/env bash\ndone\n", "greeter:2: bash cannot parse the agent: "),
        ("#!/usr/bin/python3\nif True\n    pass\n", "greeter:2: Python cannot parse the agent: "),
        ("#!/usr/bin/env python3\nx = (\n", "greeter:2: Python cannot parse the agent: '(' was"),
    ],
)
def test_an_agent_that_cannot_be_parsed_is_refused(bundle: Path, agent: str, finding: str) -> None:
    code, shown = build(bundle, agent)
    assert code == 3
    assert shown.startswith(finding)
    assert shown.count("\n") == 2
    assert not (bundle / "dist").exists()


@pytest.mark.parametrize(
    "agent",
    [
        f"#!/bin/sh\n{TOUCH}",
        "#!/bin/sh\nexit 0\nWhat follows (a payload, notes) ' no shell reads.\n",
        '#!/bin/sh\n[[ x == y ]] && echo "dash parses it"\n',
        "#!/bin/bash\na=(1 2); [[ ${a[0]} =~ ^[0-9]+$ ]] && diff <(:) <(:)\n",
        "#!/bin/bash\nshopt -s extglob\ncase $1 in\n@(start|stop)) ;;\nesac\n",
        "#!/usr/bin/python3\nimport sys\nprint('\\d')\n",
        "#!/usr/bin/perl\nif (\n",
        "#!/usr/bin/python2\nprint 'x'\n",
        "#!/bin/ksh\nfor ((i=0;i<1;i++)) { :; }\n",
    ],
)
def test_an_agent_that_can_be_parsed_is_taken(bundle: Path, agent: str) -> None:
    assert build(bundle, agent) == (0, "")


def test_python_of_a_newer_release_is_left_to_it(bundle: Path) -> None:
    agent = "#!/usr/bin/python3\nmatch = case of newer syntax\n"
    assert build(bundle, agent)[0] == 3
    manifest = bundle / "bundle.toml"
    text = manifest.read_text("utf-8") + '\n[relations]\ndepends = ["python3 (>= 3.99)"]\n'
    manifest.write_text(text, encoding="utf-8")
    assert build(bundle, agent) == (0, "")
