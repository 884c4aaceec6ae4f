# SPDX-License-Identifier: Apache-2.0
"""The agent while systemd does not answer, as in an upgrade of systemd, and while it refuses.

`make lab-reexecs` does much more of the first, on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from hadeb.lab.node.node import Node
from support.resource import NOT_RUNNING, RUN, SUCCESS, Resource, reason

Make = Callable[..., Resource]
# Pacemaker keeps so many characters of a reason.
KEPT = 128
LONG = "n" * 100


@contextmanager
def reexecuting(node: Node, *delays: float) -> Iterator[None]:
    """Have systemd re-execute itself, each time after a delay in seconds."""
    script = "; ".join(f"sleep {delay}; systemctl daemon-reexec" for delay in delays)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(node.sh, script)
        yield
        done.result()


def test_no_action_fails_while_systemd_reexecutes_itself(node: Node, server: Make) -> None:
    resource = server()
    for action, expected in (
        ("monitor", NOT_RUNNING),
        ("start", SUCCESS),
        ("reload", SUCCESS),
        ("monitor", SUCCESS),
        ("stop", SUCCESS),
    ):
        if action == "monitor":
            # Without the mark, the monitor has to ask systemd.
            node.exec("rm", "-f", f"{RUN}/R.watched")
        with reexecuting(node, 0, 0):
            node.exec("sleep", "0.1")  # systemd serializes itself first
            done = resource(action, interval=0)
        assert (done.returncode, done.stderr) == (expected, ""), action
    assert resource.traces() == []


def test_an_action_waits_for_its_job_if_systemd_reexecutes_itself_meanwhile(
    node: Node, server: Make, drop_in: Callable[[str], None]
) -> None:
    """systemctl loses its connection, but the job goes on."""
    drop_in("ExecStartPre=/bin/sleep 1\nExecStop=/bin/sleep 1")
    resource = server()
    for action in ("start", "stop"):
        with reexecuting(node, 0.4):
            done = resource(action)
        assert (done.returncode, done.stderr) == (SUCCESS, ""), action
    assert resource.traces() == []


def test_a_stop_succeeds_although_somebody_starts_the_unit_meanwhile(
    node: Node, server: Make, drop_in: Callable[[str], None]
) -> None:
    drop_in("ExecStop=/bin/sleep 1")
    resource = server()
    resource("start")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(node.sh, f"sleep 0.4; systemctl start --no-block {resource.unit}")
        assert resource("stop").returncode == SUCCESS
    assert resource.traces() == []


@pytest.mark.parametrize("name", ["R", LONG])
def test_a_reason_is_whole_in_what_pacemaker_keeps(node: Node, server: Make, name: str) -> None:
    resource = server(name)
    node.exec("systemctl", "mask", "--runtime", resource.unit)
    try:
        assert reason(resource("start"))[:KEPT] == "cannot start: Unit is masked."
    finally:
        node.exec("systemctl", "unmask", "--runtime", resource.unit)
    taken = server("other")
    taken("start")
    assert reason(resource("start"))[:KEPT].endswith(": Address already in use")
    assert reason(resource("reload"))[:KEPT] == "cannot reload: the unit is inactive"
    node.exec("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", RUN)
    try:
        assert reason(resource("start"))[:KEPT].startswith("cannot start: Read-only file system: ")
    finally:
        node.exec("umount", RUN)
