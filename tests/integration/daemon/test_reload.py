# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: new settings take effect, bad ones change nothing, and no connection is lost."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration.daemon.conftest import Start
from support.daemon_process import (
    MODULE,
    Daemon,
    answer,
    ask,
    connect,
    environment,
    free_port,
    read_all,
    wait_until,
)


@contextmanager
def load(port: int, *hosts: str) -> Iterator[Counter[bytes]]:
    """Clients that ask on and on; yields how often each answer came, errors included."""
    came: Counter[bytes] = Counter()
    over = threading.Event()

    def visit(host: str) -> None:
        while not over.is_set():
            try:
                greeting = ask(port, host)
            except OSError as error:
                greeting = repr(error).encode()
            came[greeting] += 1

    threads = [threading.Thread(target=visit, args=(host,)) for host in hosts * 2]
    for thread in threads:
        thread.start()
    try:
        yield came
    finally:
        over.set()
        for thread in threads:
            thread.join()


def refused(port: int, host: str) -> bool:
    try:
        connect(port, host).close()
    except ConnectionRefusedError:
        return True
    return False


def test_new_greetings_under_load_lose_no_connection(start: Start) -> None:
    daemon = start(settings={"greet": "0"})
    with load(daemon.port, "127.0.0.1", "::1") as came:
        for number in range(1, 40):
            daemon.write({"greet": str(number)})
            daemon.reload()
            assert ask(daemon.port) == answer(str(number))
    assert came.keys() <= {answer(str(number)) for number in range(40)}
    assert daemon.process.poll() is None


def test_signals_in_quick_succession_end_with_the_last_settings(start: Start) -> None:
    daemon = start(settings={"greet": "old"})
    daemon.write({"greet": "new"})
    daemon.freeze()
    for _ in range(20):
        daemon.process.send_signal(1)
    daemon.thaw()
    wait_until(lambda: ask(daemon.port) == answer("new"), "reloaded")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.0.1"),
        ("127.0.0.1", ""),
        ("127.0.0.1", "0.0.0.0"),
        ("0.0.0.0", "127.0.0.1,127.0.0.2"),
        ("127.0.0.1,127.0.0.2", "127.0.0.3,127.0.0.1"),
        ("127.0.0.1", "127.0.0.1,::1"),
    ],
)
def test_an_address_that_stays_loses_no_connection(start: Start, before: str, after: str) -> None:
    daemon = start(settings={"bind": before})
    with load(daemon.port, "127.0.0.1") as came:
        for bind in (after, before, after):
            daemon.write({"bind": bind})
            daemon.reload()
        wait_until(lambda: came[answer()] > 50, "some load")
    assert came.keys() == {answer()}


def test_addresses_come_and_go(start: Start) -> None:
    daemon = start(settings={"bind": "127.0.0.1,127.0.0.2"})
    daemon.write({"bind": "127.0.0.2,::1", "greet": "moved"})
    daemon.reload()
    assert ask(daemon.port, "127.0.0.2") == ask(daemon.port, "::1") == answer("moved")
    wait_until(lambda: refused(daemon.port, "127.0.0.1"), "the old address closed")
    assert ask(daemon.port, "127.0.0.2") == answer("moved")
    assert f"<5>reloaded: listening on 127.0.0.2:{daemon.port}, [::1]:{daemon.port}" in daemon.log


def test_the_port_can_change(start: Start) -> None:
    daemon = start(settings={})
    port = free_port()
    daemon.write({"port": str(port)})
    daemon.reload()
    assert ask(port) == ask(port, "::1") == answer()
    wait_until(lambda: refused(daemon.port, "127.0.0.1"), "the old port closed")
    assert ask(port) == answer()


def test_clients_waiting_at_a_dropped_address_are_still_answered(start: Start) -> None:
    daemon = start(settings={"bind": "127.0.0.1"})
    daemon.freeze()
    with connect(daemon.port) as client:
        daemon.write({"bind": "127.0.0.2"})
        daemon.process.send_signal(1)
        daemon.thaw()
        assert read_all(client) == answer()


def test_an_address_that_comes_back_at_once_stays(start: Start) -> None:
    daemon = start(settings={"bind": "127.0.0.1"})
    for bind in ("127.0.0.2", "127.0.0.1"):
        daemon.write({"bind": bind})
        daemon.reload()
    wait_until(lambda: refused(daemon.port, "127.0.0.2"), "the other address closed")
    assert ask(daemon.port, "127.0.0.1") == answer()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"port": "none"}, "port: 'none' is not between 1 and 65535"),
        ({"bind": "nowhere"}, "bind: 'nowhere' is not an IPv4 or IPv6 address"),
        ({"bind": "127.0.0.1,192.0.2.254"}, "cannot listen on 192.0.2.254:"),
        ({"color": "red"}, "'color=red' is not greet=, port= or bind="),
    ],
)
def test_bad_settings_are_logged_and_change_nothing(
    start: Start, settings: dict[str, str], reason: str
) -> None:
    daemon = start(settings={"bind": "127.0.0.2"})
    descriptors = daemon.descriptors
    daemon.write({"greet": "not this", **settings})
    daemon.reload()
    assert ask(daemon.port, "127.0.0.2") == answer()
    assert refused(daemon.port, "127.0.0.1")
    wait_until(lambda: daemon.descriptors == descriptors, "nothing left open")
    first, second = daemon.log.splitlines()[1:]
    assert first.startswith("<3>reload: ")
    assert reason in first
    assert second == "<3>reload: nothing has changed"


def test_a_settings_file_that_has_gone_changes_nothing(start: Start) -> None:
    daemon = start(settings={"greet": "before"})
    daemon.remove_settings()
    daemon.reload()
    assert ask(daemon.port) == answer("before")
    assert "<3>reload: settings: cannot read " in daemon.log


def test_flags_and_environment_still_hold_after_a_reload(start: Start) -> None:
    daemon = start("--greet=flag", settings={}, env={"BIND": "127.0.0.1"})
    daemon.write({"greet": "file"})
    daemon.reload()
    assert ask(daemon.port) == answer("flag")
    assert refused(daemon.port, "::1")


def takes_over(python: str, daemon: Daemon, bind: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *MODULE, "--port", str(daemon.port), "--bind", bind],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_after_a_reload_the_port_is_still_not_shared(start: Start, python: str) -> None:
    daemon = start(settings={"bind": "127.0.0.1"})
    for bind in ("0.0.0.0", "127.0.0.1,127.0.0.2"):
        daemon.write({"bind": bind})
        daemon.reload()
        ended = takes_over(python, daemon, "127.0.0.1")
        assert (ended.returncode, ended.stderr) == (
            1,
            f"<3>cannot listen on 127.0.0.1:{daemon.port}: Address already in use\n",
        )
