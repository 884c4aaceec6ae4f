# SPDX-License-Identifier: Apache-2.0
"""The lab's fence agent as Pacemaker calls it, without a cluster."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from hadeb.lab.cluster.cluster import _FENCE_AGENT


def agent(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Call the fence agent where there is no switch."""
    argv = [sys.executable, "-I", str(_FENCE_AGENT), *words]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("call", [("--action=metadata",), ()])
def test_the_agent_describes_itself_in_either_way_it_can_be_asked(call: tuple[str, ...]) -> None:
    done = agent(*call, stdin="" if call else "action=metadata\n")
    root = ET.fromstring(done.stdout)
    assert root.attrib["name"] == "fence_lab"
    assert {element.attrib["name"] for element in root.iter("action")} >= {
        "off",
        "status",
        "monitor",
    }


@pytest.mark.parametrize("action", ["off", "reboot", "status", "monitor", "list", "on", "nonsense"])
def test_the_agent_confirms_nothing_where_no_switch_answers(action: str) -> None:
    assert agent(stdin=f"action={action}\nplug=ha1\n").returncode != 0
