# SPDX-License-Identifier: Apache-2.0
"""The daemon survives running out of descriptors, logs it once, and recovers."""

from __future__ import annotations

import resource
import time
from contextlib import ExitStack

from integration.daemon.conftest import Start
from support.daemon_process import Daemon, answer, ask, connect, read_all, wait_until

SHORTAGE = "<4>cannot accept connections: Too many open files"


def limit(daemon: Daemon, descriptors: int) -> None:
    hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (descriptors, hard))


def test_out_of_descriptors_it_waits_quietly_and_then_goes_on(start: Start) -> None:
    daemon = start()
    limit(daemon, 3)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(daemon.port)) for _ in range(50)]
        wait_until(lambda: SHORTAGE in daemon.log, "the shortage is logged")
        before = daemon.cpu_seconds
        time.sleep(1)
        assert daemon.cpu_seconds - before < 0.2
        assert daemon.log.count("\n") == 2
        limit(daemon, 1024)
        assert [read_all(client) for client in clients] == [answer()] * 50
    wait_until(lambda: daemon.log.endswith("<5>accepting connections again\n"), "recovered")
    assert daemon.log.count("\n") == 3


def test_clients_that_linger_make_room_for_new_ones(start: Start) -> None:
    daemon = start()
    limit(daemon, daemon.descriptors + 10)
    with ExitStack() as stack:
        daemon.freeze()
        for _ in range(100):
            stack.enter_context(connect(daemon.port)).send(b"I stay")
        daemon.thaw()
        for _ in range(20):
            assert ask(daemon.port) == answer()
    assert daemon.log.count(SHORTAGE) == 1


def test_a_stop_out_of_descriptors_still_ends(start: Start) -> None:
    daemon = start()
    limit(daemon, 3)
    with connect(daemon.port):
        wait_until(lambda: SHORTAGE in daemon.log, "the shortage is logged")
        assert daemon.stop() == 0


def test_a_reload_out_of_descriptors_changes_nothing(start: Start) -> None:
    daemon = start(settings={"bind": "127.0.0.1"})
    daemon.write({"bind": "127.0.0.2", "greet": "new"})
    limit(daemon, 3)
    daemon.reload()
    limit(daemon, 1024)
    assert ask(daemon.port, "127.0.0.1") == answer()
    assert "<3>reload: settings: cannot read" in daemon.log
