# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: accept no more, finish what is in flight, exit 0 within a bound."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration.daemon.conftest import Start
from support.daemon_process import ROOT, answer, ask, connect, read_all, wait_until

LONGEST = "g" * 65536


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_with_exit_code_0_and_frees_the_port(start: Start, number: signal.Signals) -> None:
    daemon = start()
    daemon.send(number)
    assert daemon.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        connect(daemon.port)


def test_clients_in_the_queue_are_answered_before_it_stops(start: Start) -> None:
    daemon = start("--bind=127.0.0.1,127.0.0.2")
    daemon.freeze()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(connect(daemon.port, host))
            for host in ("127.0.0.1", "127.0.0.2")
            for _ in range(200)
        ]
        daemon.send(signal.SIGTERM)
        daemon.thaw()
        assert [read_all(client) for client in clients] == [answer()] * 400
    assert daemon.wait() == 0


def test_a_slow_reader_in_flight_gets_the_rest(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(15)
        client.connect(("127.0.0.1", daemon.port))
        got = client.recv(1)
        daemon.send(signal.SIGTERM)
        daemon.manager.until("STOPPING")
        assert got + read_all(client) == answer(LONGEST)
    assert daemon.wait() == 0


def test_clients_that_stay_cannot_keep_it(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    with ExitStack() as stack:
        daemon.freeze()
        for _ in range(50):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.connect(("127.0.0.1", daemon.port))
            client.send(b"I stay")
        daemon.send(signal.SIGTERM)
        daemon.thaw()
        assert daemon.wait() == 0


def test_clients_that_keep_coming_cannot_keep_it(start: Start) -> None:
    daemon = start()
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                ask(daemon.port)
            except OSError:
                return

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        assert daemon.stop() == 0
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_second_signal_does_not_cut_the_stop_short(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(15)
        client.connect(("127.0.0.1", daemon.port))
        got = client.recv(1)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
            daemon.send(number)
        assert got + read_all(client) == answer(LONGEST)
    assert daemon.wait() == 0


def test_signals_that_go_on_until_the_end_do_not_spoil_the_exit_code(start: Start) -> None:
    daemon = start()
    for _ in range(20_000):
        if daemon.process.poll() is not None:
            break
        daemon.send(signal.SIGTERM)
        daemon.send(signal.SIGHUP)
    assert daemon.wait() == 0


def test_signals_during_the_start_are_served_after_it(start: Start) -> None:
    daemon = start(ready=False)
    wait_until(daemon.blocks_signals, "signals blocked")
    daemon.send(signal.SIGHUP)
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0


def test_all_it_needs_is_imported_before_it_is_ready(start: Start, tmp_path: Path) -> None:
    package = tmp_path / "moved" / "sample_tcp_server"
    shutil.copytree(ROOT / "daemon" / "sample_tcp_server", package)
    daemon = start(
        env={"PYTHONPATH": str(package.parent)},
        settings={},
        command=("-X", "importtime", "-m", "sample_tcp_server"),
    )
    imported = daemon.log.count("import time:")
    assert imported > 0
    shutil.rmtree(package.parent)
    daemon.freeze()
    with connect(daemon.port) as client:
        client.send(b"something to read away")
        daemon.thaw()
        assert read_all(client) == answer()
    for settings in ({"port": "bad"}, {"bind": "::1,192.0.2.254"}, {"greet": "é", "bind": "::1"}):
        daemon.write(settings)
        daemon.reload()
    assert ask(daemon.port, "::1") == answer("é")
    assert daemon.stop() == 0
    assert daemon.log.count("import time:") == imported
    assert "Traceback" not in daemon.log
