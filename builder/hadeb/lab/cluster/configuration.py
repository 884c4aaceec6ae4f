# SPDX-License-Identifier: Apache-2.0
"""The configuration that a cluster of the lab starts from: Pacemaker's and corosync's. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence


def with_properties(cib: str, properties: dict[str, str]) -> str:
    """An empty cluster configuration with cluster-wide properties set."""
    tree = ET.fromstring(cib)
    (place,) = tree.iterfind("configuration/crm_config")
    options = ET.SubElement(place, "cluster_property_set", id="cib-bootstrap-options")
    for name, value in properties.items():
        ET.SubElement(options, "nvpair", id=f"lab-{name}", name=name, value=value)
    return ET.tostring(tree, encoding="unicode") + "\n"


def with_fencing(cib: str, nodes: Sequence[str]) -> str:
    """A cluster configuration with a fence device that can cut the power of each of the nodes."""
    tree = ET.fromstring(cib)
    (place,) = tree.iterfind("configuration/resources")
    device = ET.SubElement(place, "primitive", id="POWER", attrib={"class": "stonith"})
    device.set("type", "fence_lab")
    options = ET.SubElement(device, "instance_attributes", id="POWER-options")
    chosen = {
        "pcmk_host_check": "static-list",
        "pcmk_host_list": " ".join(nodes),
        # Nobody in there can turn a node on again.
        "pcmk_reboot_action": "off",
    }
    if len(nodes) == 2:
        # Each of two halves has the quorum: without a head start they would kill one another.
        chosen["pcmk_delay_base"] = f"{nodes[0]}:0s;{nodes[1]}:2s"
    for name, value in chosen.items():
        ET.SubElement(options, "nvpair", id=f"POWER-{name}", name=name, value=value)
    for option in tree.iterfind("configuration/crm_config//nvpair[@name='stonith-enabled']"):
        option.set("value", "true")
    return ET.tostring(tree, encoding="unicode") + "\n"


def corosync_conf(addresses: Mapping[str, str], totem: Mapping[str, int]) -> str:
    """A corosync.conf with corosync's defaults but for `totem`; two_node where there are two."""
    nodes = "".join(
        f"    node {{\n        nodeid: {number}\n        name: {name}\n"
        f"        ring0_addr: {ip}\n    }}\n"
        for number, (name, ip) in enumerate(addresses.items(), start=1)
    )
    options = "".join(f"    {name}: {value}\n" for name, value in totem.items())
    two = "    two_node: 1\n" if len(addresses) == 2 else ""
    return (
        f"totem {{\n    version: 2\n    cluster_name: lab\n    transport: knet\n{options}}}\n"
        f"nodelist {{\n{nodes}}}\n"
        f"quorum {{\n    provider: corosync_votequorum\n{two}}}\n"
        "logging {\n    to_stderr: no\n    to_syslog: yes\n}\n"
    )
