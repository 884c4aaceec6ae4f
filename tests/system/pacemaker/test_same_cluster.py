# SPDX-License-Identifier: Apache-2.0
"""pcs and crmsh make the same cluster of what `hadeb plan` prints for each."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.bundle import agents
from hadeb.debian.releases import Suite
from hadeb.lab.node.image import image
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from hadeb.manifest.values import seconds
from support.command import ROOT, call_hadeb

BUNDLE = ROOT / "tests/bundles/operations"
# What an element means that does not have the attribute.
DEFAULTS = {
    "rsc_order": {"kind": "Mandatory", "first-action": "start", "then-action": "start"},
    "clone": {"interleave": "false", "promotable": "false"},
}


@pytest.fixture(scope="module")
def node(as_root: None, suite: Suite) -> Iterator[Node]:
    """A node with both tools."""
    with lab_machine(suite, packages=("crmsh",), info=_say) as made:
        yield made


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def meaning(cib: str) -> set[tuple[object, ...]]:
    """What a configuration says, without the ids that the tools choose."""
    root = ET.fromstring(cib)
    said: set[tuple[object, ...]] = set()
    for clone in root.iter("clone"):
        options = {**DEFAULTS["clone"], **pairs(clone, "meta_attributes")}
        said.add(("clone", clone.get("id"), *sorted(options.items())))
    for primitive in root.iter("primitive"):
        said.add(("primitive", *sorted(primitive.items()), *options_of(primitive)))
        for operation in primitive.iterfind("operations/op"):
            said.add((primitive.get("id"), *attributes(operation), *options_of(operation)))
    for constraint in root.iterfind("configuration/constraints/*"):
        said.add((constraint.tag, *attributes(constraint)))
    return said


def attributes(element: ET.Element) -> list[tuple[str, str]]:
    values = {**DEFAULTS.get(element.tag, {}), **element.attrib}
    for name in ("interval", "timeout", "start-delay"):
        if name in values:
            values[name] = str(seconds(values[name]))
    del values["id"]
    return sorted(values.items())


def options_of(element: ET.Element) -> list[tuple[str, str, str]]:
    kinds = ("instance_attributes", "meta_attributes")
    return sorted((kind, *pair) for kind in kinds for pair in pairs(element, kind).items())


def pairs(element: ET.Element, kind: str) -> dict[str, str]:
    nvpairs = element.iterfind(f"{kind}/nvpair")
    return {each.get("name", ""): each.get("value", "") for each in nvpairs}


def made_by(node: Node, lines: list[str], environment: str = "") -> str:
    """The configuration that the commands make in a file."""
    script = "\n".join(["cibadmin --empty >/root/cib.xml", "set -e", environment, *lines])
    node.sh(script, timeout=300)
    return node.read("/root/cib.xml").decode()


def test_crmsh_makes_the_cluster_that_pcs_makes(
    node: Node, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if hadeb ran on the node.
    monkeypatch.setattr(agents, "AGENTS", str(image(suite) / "usr/lib/ocf/resource.d"))
    built = call_hadeb("build", BUNDLE, "--output", tmp_path, directory=tmp_path)
    node.push(Path(built.stdout.strip()), "/root/many.deb")
    node.exec("dpkg", "--install", "/root/many.deb")
    lines = {}
    for tool in ("pcs", "crm"):
        call = call_hadeb("plan", f"--{tool}", BUNDLE, directory=tmp_path)
        assert (call.code, call.stderr) == (0, "")
        lines[tool] = call.stdout.splitlines()
    pcs = made_by(node, [line.replace("pcs ", "pcs -f /root/cib.xml ", 1) for line in lines["pcs"]])
    crm = made_by(node, lines["crm"], "export CIB_file=/root/cib.xml")
    assert meaning(crm) == meaning(pcs)
    level = "nvpair[@name='OCF_CHECK_LEVEL']"
    levels = ET.fromstring(crm).iterfind(f".//op/instance_attributes/{level}")
    assert [level.get("value") for level in levels] == ["10", "10"]
    units = ET.fromstring(pcs).iterfind(".//primitive[@id='UNIT']/operations/op[@name='monitor']")
    assert [seconds(unit.get("interval", "")) for unit in units] == [60]
