# SPDX-License-Identifier: Apache-2.0
"""The cluster fences a lost node, and gets confirmation, before another takes over."""

from __future__ import annotations

import socket
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hadeb.lab.cluster import power
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.host.namespaces import POWER


@pytest.fixture(scope="module")
def two(as_root: None) -> Iterator[Cluster]:
    """Two nodes with a resource."""
    with Cluster("bookworm", size=2, fencing=True) as cluster:
        cluster.pcs("resource create DUMMY ocf:pacemaker:Dummy")
        cluster.settle()
        yield cluster


@pytest.fixture(scope="module")
def three(as_root: None) -> Iterator[Cluster]:
    """Three nodes with a resource, of the other release."""
    with Cluster("trixie", size=3, fencing=True) as cluster:
        cluster.pcs("resource create DUMMY ocf:pacemaker:Dummy")
        cluster.settle()
        yield cluster


@pytest.fixture(params=["two", "three"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    cluster: Cluster = request.getfixturevalue(request.param)
    return cluster


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def ask(cluster: Cluster, request: str) -> str:
    """What the power switch answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(15)
        connection.connect(str(cluster.namespaces.state / POWER))
        connection.sendall(request.encode())
        with connection.makefile() as answer:
            return answer.readline().rstrip("\n")


def fenced(cluster: Cluster, node: str) -> list[str]:
    """How each fencing of a node ended, from the cluster's history."""
    argv = ("stonith_admin", "--history", node, "--output-as=xml")
    history = ET.fromstring(cluster.any.exec(*argv).stdout)
    return [event.attrib["status"] for event in history.iter("fence_event")]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "off",
        "off \n",
        "on ha1\n",
        "off ../ha1\n",
        "off *\n",
        "off ha1 ha2\n",
        "off HA1\n",
    ],
)
def test_a_malformed_request_is_not_confirmed(tmp_path: Path, line: str) -> None:
    assert power.answer(tmp_path, line).startswith("failed: ")


def test_the_death_of_an_unknown_node_is_not_confirmed(tmp_path: Path) -> None:
    (tmp_path / "ha11-1").mkdir()
    (tmp_path / "ha1-x").mkdir()
    assert power.answer(tmp_path, "off ha1\n") == "failed: there is no node ha1"


def test_pcs_knows_the_device_and_the_cluster_runs_it(cluster: Cluster) -> None:
    assert cluster.where("POWER")
    assert "Cuts the power" in cluster.pcs("stonith describe fence_lab").stdout
    assert "fence_lab" in cluster.pcs("stonith config POWER").stdout
    assert "POWER" in cluster.any.exec("stonith_admin", "--list", "ha2").stdout
    assert cluster.status().failures == ()


def test_the_switch_answers_each_request(cluster: Cluster) -> None:
    assert ask(cluster, "status ha1\n") == "on"
    assert ask(cluster, "status ha9\n") == "off"
    assert ask(cluster, "off ha9\n") == "failed: there is no node ha9"
    assert ask(cluster, "explode\n").startswith("failed: ")
    assert ask(cluster, "x" * 500 + "\n").startswith("failed: ")
    assert all(node.is_on for node in cluster.nodes)


def test_a_silent_client_does_not_delay_others(cluster: Cluster) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(cluster.namespaces.state / POWER))
        assert ask(cluster, "status ha1\n") == "on"


def test_one_of_two_nodes_takes_over_once_the_others_death_is_confirmed(two: Cluster) -> None:
    first = two.where("DUMMY")
    assert first
    two[first].cut_power()
    wait_until(lambda: two.where("DUMMY") not in {first, None}, "nobody took over")
    two.settle()
    assert fenced(two, first)[-1] == "success"
    two[first].boot()
    two.wait_online()
    assert two.status().online == {"ha1", "ha2"}


def test_a_frozen_node_is_fenced_by_the_others_before_they_take_over(three: Cluster) -> None:
    first = three.where("DUMMY")
    assert first
    three.unreachable.add(first)
    three.freeze(three[first])
    time.sleep(1)
    assert three[first].is_on
    assert ask(three, f"status {first}\n") == "on"
    wait_until(lambda: three.where("DUMMY") not in {first, None}, "nobody took over")
    # Nobody runs it twice: the power went first.
    assert not three[first].is_on
    assert ask(three, f"status {first}\n") == "off"
    assert fenced(three, first)[-1] == "success"
    assert ask(three, f"off {first}\n") == "off"
    three.unreachable.clear()
    three[first].boot()
    three.wait_online()
