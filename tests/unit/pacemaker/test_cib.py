# SPDX-License-Identifier: Apache-2.0
"""The CIB of Debian 12 and 13, changed and read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hadeb.pacemaker.cib import not_installed, with_fence_device, with_properties

SAMPLES = Path(__file__).with_name("samples")


@pytest.fixture(params=["bookworm", "trixie"])
def empty(request: pytest.FixtureRequest) -> str:
    """What `cibadmin --empty` prints."""
    return (SAMPLES / str(request.param) / "empty-cib.xml").read_text(encoding="utf-8")


def properties(cib: str) -> dict[str, str]:
    pairs = ET.fromstring(cib).iterfind("configuration/crm_config/cluster_property_set/nvpair")
    return {pair.attrib["name"]: pair.attrib["value"] for pair in pairs}


def test_properties_are_added_and_the_schema_stays(empty: str) -> None:
    cib = with_properties(empty, {"dc-deadtime": "2s", "stonith-enabled": "false"})
    assert properties(cib) == {"dc-deadtime": "2s", "stonith-enabled": "false"}
    root, before = ET.fromstring(cib), ET.fromstring(empty)
    assert root.attrib == before.attrib
    assert [child.tag for child in root[0]] == [child.tag for child in before[0]]


def test_a_fence_device_turns_fencing_on(empty: str) -> None:
    plain = with_properties(empty, {"stonith-enabled": "false"})
    fenced = with_fence_device(plain, "POWER", "fence_lab", {"pcmk_host_list": "ha1 ha2"})
    assert properties(fenced) == {"stonith-enabled": "true"}
    (device,) = ET.fromstring(fenced).iterfind("configuration/resources/primitive")
    assert device.attrib == {"id": "POWER", "class": "stonith", "type": "fence_lab"}
    (option,) = device.iter("nvpair")
    assert option.attrib == {
        "id": "POWER-pcmk_host_list",
        "name": "pcmk_host_list",
        "value": "ha1 ha2",
    }


def test_a_node_without_a_resources_agent_is_named_with_the_reason() -> None:
    # ha2 had lost the file of ocf:pacemaker:Stateful when LACKING was created.
    status = (SAMPLES / "trixie" / "cib-status.xml").read_text(encoding="utf-8")
    assert not_installed(status) == [
        "ha2 cannot run LACKING: not installed (Stateful: No such file or directory)"
    ]


def test_nodes_that_have_everything_are_not_named() -> None:
    status = (SAMPLES / "bookworm" / "cib-status.xml").read_text(encoding="utf-8")
    assert not_installed(status) == []
