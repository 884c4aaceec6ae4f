# SPDX-License-Identifier: Apache-2.0
"""What tests of several directories share: a Debian machine with a running systemd per suite."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from hadeb.debian.releases import SUITES, Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node

# A job in a script's background starts with Ctrl-C ignored, and so would all that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares nodes: the tests of a release, and else those of a file."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        suites = [each for each in parameters.values() if each in SUITES]
        item.add_marker(pytest.mark.xdist_group(suites[0] if suites else item.path.stem))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def as_root() -> None:
    """For tests that need namespaces and mounts."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session", params=SUITES)
def suite(request: pytest.FixtureRequest) -> Suite:
    """Each Debian release that the product supports."""
    chosen: Suite = request.param
    return chosen


@pytest.fixture(scope="session")
def machine(as_root: None, suite: Suite) -> Iterator[Node]:
    """One booted node per suite, shared by the session: leave it as you found it."""
    with lab_machine(suite, info=_say) as node:
        yield node


@pytest.fixture
def fresh_machine(as_root: None, suite: Suite) -> Iterator[Node]:
    """A booted node that no other test has touched."""
    with lab_machine(suite, info=_say) as node:
        yield node
