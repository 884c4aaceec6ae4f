# SPDX-License-Identifier: Apache-2.0
"""A node per Debian release with the sample package installed, and resources on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from hadeb.run import run
from support.command import ROOT
from support.resource import AGENTS, Resource


@pytest.fixture(scope="session")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample package."""
    output = tmp_path_factory.mktemp("agents")
    built = run([sys.executable, "-m", "hadeb", "build", "--output", str(output)], cwd=ROOT)
    return Path(built.stdout.strip())


@pytest.fixture(scope="session")
def node(as_root: None, suite: Suite, deb: Path) -> Iterator[Node]:
    """A node with the package and no cluster; each test stops what it started."""
    with lab_machine(suite, info=lambda line: print(line, file=sys.stderr)) as made:
        made.push(deb, "/root/sample.deb")
        made.exec("dpkg", "--install", "/root/sample.deb")
        yield made


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> str:
    """Each agent's name."""
    name: str = request.param
    return name


@pytest.fixture
def resource(node: Node, agent: str) -> Iterator[Resource]:
    """A stopped resource of each agent."""
    made = Resource(node, agent)
    yield made
    made("stop")


@pytest.fixture
def server(node: Node) -> Iterator[Callable[..., Resource]]:
    """Makes stopped resources of sample-tcp-server; they are stopped again after the test."""
    made: list[Resource] = []

    def make(name: str = "R", **parameters: str) -> Resource:
        made.append(Resource(node, "sample-tcp-server", name, parameters))
        return made[-1]

    yield make
    for each in made:
        each("stop")


@pytest.fixture
def drop_in(node: Node) -> Iterator[Callable[[str], None]]:
    """Changes the template unit's [Service] section for the length of a test."""
    directory = "/run/systemd/system/sample-tcp-server@.service.d"

    def change(lines: str) -> None:
        node.write(f"{directory}/test.conf", f"[Service]\n{lines}\n")
        node.exec("systemctl", "daemon-reload")

    yield change
    node.sh(f"systemctl stop 'sample-tcp-server@*'; rm -r {directory}; systemctl daemon-reload")
