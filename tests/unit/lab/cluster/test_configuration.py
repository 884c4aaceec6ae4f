# SPDX-License-Identifier: Apache-2.0
"""What a cluster of the lab is configured with."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hadeb.lab.cluster.configuration import with_fencing

EMPTY = (
    '<cib><configuration><crm_config><cluster_property_set id="p">'
    '<nvpair id="x" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>'
    "<resources/></configuration></cib>"
)


def test_each_half_of_two_nodes_waits_for_another_time_and_of_three_nobody() -> None:
    delays = [
        ET.fromstring(with_fencing(EMPTY, nodes)).findall(".//nvpair[@name='pcmk_delay_base']")
        for nodes in (["ha1", "ha2"], ["ha1", "ha2", "ha3"])
    ]
    assert [element.get("value") for element in delays[0]] == ["ha1:0s;ha2:2s"]
    assert delays[1] == []
