# SPDX-License-Identifier: Apache-2.0
"""What the daemon notifies the service manager of and writes to the journal."""

from __future__ import annotations

import os
import signal
import time

import pytest

from integration.daemon.conftest import Start
from support.daemon_process import answer, ask, free_port


def test_ready_means_that_every_address_answers(start: Start) -> None:
    daemon = start("--bind=127.0.0.1,127.0.0.2,::1", ready=False)
    status = f"listening on 127.0.0.1:{daemon.port}, 127.0.0.2:{daemon.port}, [::1]:{daemon.port}"
    assert daemon.manager.next() == {"READY": "1", "STATUS": status}
    for host in ("127.0.0.1", "127.0.0.2", "::1"):
        assert ask(daemon.port, host) == answer()
    assert daemon.log == f"<5>{status}\n"


def test_not_ready_while_an_address_cannot_be_had(start: Start) -> None:
    daemon = start("--bind=127.0.0.1,192.0.2.254", ready=False)
    assert daemon.wait() == 1
    daemon.manager.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        daemon.manager.next()


def test_an_abstract_socket_is_notified_as_well(start: Start) -> None:
    daemon = start(manager=f"@sample-tcp-server-test-{os.getpid()}-{free_port()}")
    assert daemon.stop() == 0
    assert daemon.manager.until("STOPPING")["STOPPING"] == "1"


def test_a_reload_is_framed_and_dated(start: Start) -> None:
    daemon = start(settings={})
    for settings in ({"bind": "127.0.0.1"}, {"bind": "wrong"}):
        daemon.write(settings)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.send(signal.SIGHUP)
        begun, done = daemon.manager.next(), daemon.manager.next()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert begun["RELOADING"] == "1"
        assert before <= int(begun["MONOTONIC_USEC"]) <= after
        assert done == {"READY": "1", "STATUS": f"listening on 127.0.0.1:{daemon.port}"}


def test_signs_of_life_come_while_it_serves(start: Start) -> None:
    daemon = start(env={"WATCHDOG_USEC": "100000"})
    for _ in range(5):
        assert daemon.manager.next() == {"WATCHDOG": "1"}
    daemon.send(signal.SIGTERM)
    assert daemon.manager.until("STOPPING")["STATUS"] == "stopping"


@pytest.mark.parametrize(
    "watchdog",
    [
        {"WATCHDOG_USEC": "50000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "often"},
        {"WATCHDOG_PID": "1"},
    ],
)
def test_no_signs_of_life_for_somebody_elses_watchdog(
    start: Start, watchdog: dict[str, str]
) -> None:
    daemon = start(env=watchdog)
    daemon.manager.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        daemon.manager.next()


def test_a_manager_that_cannot_be_reached_does_not_keep_it_from_serving(start: Start) -> None:
    daemon = start(env={"NOTIFY_SOCKET": "/nonexistent/notify"}, ready=False)
    while "<5>listening" not in daemon.log:
        assert daemon.process.poll() is None
        time.sleep(0.01)
    assert ask(daemon.port) == answer()
    assert daemon.log.startswith("<4>cannot reach systemd at NOTIFY_SOCKET /nonexistent/notify")
    assert daemon.stop() == 0
