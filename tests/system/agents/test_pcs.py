# SPDX-License-Identifier: Apache-2.0
"""How pcs handles the agents, on a CIB file without a cluster."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from hadeb.lab.node.node import Node

CIB = "/root/cib.xml"


@pytest.fixture
def cib(node: Node) -> Iterator[str]:
    """An empty configuration."""
    node.sh(f"cibadmin --empty > {CIB}")
    yield CIB
    node.exec("rm", CIB)


def pcs(node: Node, command: str) -> str:
    done = node.exec("pcs", "-f", CIB, *command.split())
    return done.stdout + done.stderr


def operations(node: Node, resource: str) -> list[tuple[str, ...]]:
    root = ET.fromstring(node.read(CIB))
    operations = []
    for op in root.iterfind(f".//primitive[@id='{resource}']/operations/op"):
        level = op.find("./instance_attributes/nvpair[@name='OCF_CHECK_LEVEL']")
        values = [op.get(key, "") for key in ("name", "interval", "timeout")]
        operations.append((*values, level.get("value", "") if level is not None else ""))
    return sorted(operations)


def test_pcs_accepts_the_commands_of_the_article(node: Node, cib: str) -> None:
    output = pcs(node, "resource create SAMPLE ocf:kamaboko:sample-resource")
    output += pcs(
        node,
        "resource create VIP ocf:heartbeat:IPaddr2 ip=172.16.0.50 cidr_netmask=24"
        " op monitor interval=10s on-fail=standby",
    )
    output += pcs(node, "resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!")
    assert "rror" not in output
    assert "arning" not in output
    # Debian 13's pcs takes this with a warning about the way the score is given.
    output = pcs(node, "constraint colocation add TCP-SERVER with VIP INFINITY")
    assert "rror" not in output


def test_pcs_creates_the_operations_that_the_agent_advertises(node: Node, cib: str) -> None:
    pcs(node, "resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!")
    assert operations(node, "TCP-SERVER") == [
        ("monitor", "10s", "20s", ""),
        ("monitor", "15s", "20s", "10"),
        ("reload", "0s", "20s", ""),
        ("start", "0s", "20s", ""),
        ("stop", "0s", "20s", ""),
    ]


def test_pcs_refuses_a_second_resource_with_one_port(node: Node, cib: str) -> None:
    pcs(node, "resource create A ocf:kamaboko:sample-tcp-server port=7001")
    done = node.exec(
        *("pcs", "-f", CIB, "resource", "create", "B", "ocf:kamaboko:sample-tcp-server"),
        *("port=7001",),
        check=False,
    )
    assert done.returncode != 0
    assert "port" in done.stdout + done.stderr


def test_pcs_describes_the_parameters(node: Node) -> None:
    output = node.exec("pcs", "resource", "describe", "ocf:kamaboko:sample-tcp-server").stdout
    for name in ("greet", "port", "bind"):
        assert f"  {name}" in output
