# SPDX-License-Identifier: Apache-2.0
"""The meta-data of OCF agents, and where their files are."""

from __future__ import annotations

import pytest

from hadeb.errors import HadebError
from hadeb.pacemaker.ocf import Parameter, agent_path, parse_meta_data

META_DATA = """<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="echo" version="1.0">
<version>1.1</version>
<parameters>
<parameter name="config" required="1"><content type="string"/></parameter>
<parameter name="port"><longdesc lang="en">Where it listens.</longdesc>
<content type="integer" default="5678"/></parameter>
<parameter name="bare"/>
</parameters>
<actions><action name="start" timeout="20s"/></actions>
</resource-agent>
"""


def test_an_agents_parameters_have_their_types_and_defaults() -> None:
    described = parse_meta_data(META_DATA)
    assert described.name == "echo"
    assert described.parameters == {
        "config": Parameter("config", "string", "", required=True),
        "port": Parameter("port", "integer", "5678"),
        "bare": Parameter("bare", "", ""),
    }


def test_meta_data_that_is_no_xml_is_an_error_with_a_remedy() -> None:
    with pytest.raises(HadebError, match="the agent's meta-data is not XML") as error:
        parse_meta_data("usage: echo start|stop")
    assert error.value.hint


@pytest.mark.parametrize(
    ("agent", "path"),
    [
        ("ocf:heartbeat:IPaddr2", "/usr/lib/ocf/resource.d/heartbeat/IPaddr2"),
        ("systemd:nginx", ""),
        ("lsb:nginx", ""),
    ],
)
def test_only_an_agent_of_ocf_is_a_file(agent: str, path: str) -> None:
    assert agent_path(agent) == path


def test_an_agent_of_ocf_without_a_provider_is_an_error() -> None:
    with pytest.raises(HadebError, match="ocf:IPaddr2 is no agent"):
        agent_path("ocf:IPaddr2")
