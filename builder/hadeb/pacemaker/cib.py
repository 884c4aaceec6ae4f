# SPDX-License-Identifier: Apache-2.0
"""The cluster information base, Pacemaker's configuration and status as XML (cibadmin(8)). Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

# OCF_ERR_INSTALLED: the agent, or something it needs, is missing.
_NOT_INSTALLED = "5"


def with_properties(cib: str, properties: Mapping[str, str]) -> str:
    """An empty configuration with cluster-wide properties set."""
    tree = ET.fromstring(cib)
    (section,) = tree.iterfind("configuration/crm_config")
    options = ET.SubElement(section, "cluster_property_set", id="cib-bootstrap-options")
    for name, value in properties.items():
        ET.SubElement(options, "nvpair", id=f"lab-{name}", name=name, value=value)
    return _text(tree)


def with_fence_device(cib: str, name: str, agent: str, options: Mapping[str, str]) -> str:
    """A configuration with a fence device, and fencing turned on where it was set to off."""
    tree = ET.fromstring(cib)
    (section,) = tree.iterfind("configuration/resources")
    device = ET.SubElement(section, "primitive", id=name, attrib={"class": "stonith"})
    device.set("type", agent)
    attributes = ET.SubElement(device, "instance_attributes", id=f"{name}-options")
    for option, value in options.items():
        ET.SubElement(attributes, "nvpair", id=f"{name}-{option}", name=option, value=value)
    for pair in tree.iterfind("configuration/crm_config//nvpair[@name='stonith-enabled']"):
        pair.set("value", "true")
    return _text(tree)


def not_installed(status: str) -> list[str]:
    """What nodes lack to run a resource, a sentence each, from the CIB's status section.

    Pacemaker does not count a probe that finds no agent as a failure: it just never runs the
    resource on that node.
    """
    sentences = {
        f"{node.get('uname')} cannot run {resource.get('id')}: not installed"
        + (f" ({reason})" if (reason := operation.get("exit-reason")) else "")
        for node in ET.fromstring(status).iter("node_state")
        for resource in node.iter("lrm_resource")
        for operation in resource.iter("lrm_rsc_op")
        if operation.get("rc-code") == _NOT_INSTALLED
    }
    return sorted(sentences)


def _text(tree: ET.Element) -> str:
    return ET.tostring(tree, encoding="unicode") + "\n"
