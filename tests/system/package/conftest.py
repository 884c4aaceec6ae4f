# SPDX-License-Identifier: Apache-2.0
"""A node per Debian release for dpkg's transitions, and three versions of the sample package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from support.resource import Resource
from support.sample_package import EMERGENCY, NAME, VERSIONS, build


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample package in each version."""
    return {version: build(version, tmp_path_factory.mktemp("bundle")) for version in VERSIONS}


@pytest.fixture(scope="session")
def shared_node(as_root: None, suite: Suite, debs: dict[str, Path]) -> Iterator[Node]:
    """A node without a cluster, with the packages in /root and none of them installed."""
    with lab_machine(suite, info=say) as node:
        for version, deb in debs.items():
            node.push(deb, f"/root/{version}.deb")
        yield node


@pytest.fixture
def node(shared_node: Node) -> Iterator[Node]:
    """The node; the package is purged when the test ends."""
    yield shared_node
    shared_node.sh(
        f"{EMERGENCY} dpkg --purge --force-remove-reinstreq {NAME} rival 2>/dev/null || true;"
        f"systemctl stop '{NAME}@*.service' && systemctl reset-failed; rm -rf /run/{NAME}"
    )


@pytest.fixture
def resource(node: Node) -> Resource:
    """A resource of the daemon's agent, to be called by hand as the cluster would."""
    return Resource(node)


@pytest.fixture(params=[False, True], ids=["stopped", "running"])
def running(request: pytest.FixtureRequest) -> bool:
    """Whether the resource runs while dpkg works."""
    return bool(request.param)
