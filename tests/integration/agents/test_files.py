# SPDX-License-Identifier: Apache-2.0
"""The agents' sources: their names, license, and what shellcheck reports."""

from __future__ import annotations

import re

import pytest

from hadeb.run import run
from support.command import ROOT
from support.resource import AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_rule_05_06_the_name_is_plain_and_the_license_is_stated(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    head = (ROOT / "agents" / name).read_text(encoding="utf-8").splitlines()[1]
    assert head == "# SPDX-License-Identifier: Apache-2.0"


@pytest.mark.parametrize("name", AGENTS)
def test_rule_07_08_shellcheck_finds_nothing_in_posix_sh(name: str) -> None:
    done = run(["shellcheck", "--shell=sh", str(ROOT / "agents" / name)], check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", AGENTS)
def test_shellcheck_is_silenced_only_with_a_reason(name: str) -> None:
    text = (ROOT / "agents" / name).read_text(encoding="utf-8")
    for line in re.findall(r"# shellcheck .*", text):
        assert re.search(r"=\S+ # \w+", line), line


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_sleeps_only_while_systemd_does_not_answer(name: str) -> None:
    text = (ROOT / "agents" / name).read_text(encoding="utf-8")
    elsewhere = re.sub(r"(?ms)^ask_systemd\(\) \{$.*?^\}$", "", text)
    assert not re.search(r"\bsleep\b", elsewhere)
