# SPDX-License-Identifier: Apache-2.0
"""What clients get, including hostile ones, and what they cannot do to the daemon."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import ExitStack

from integration.daemon.conftest import Start
from support.daemon_process import Daemon, answer, ask, connect, read_all, wait_until

MEBIBYTE = 1 << 20
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
LONGEST = "g" * 65536


def at_rest(daemon: Daemon) -> tuple[int, int]:
    """Open descriptors without a client, and bytes of memory after a few."""
    descriptors = daemon.descriptors
    for _ in range(50):
        ask(daemon.port)
    return descriptors, daemon.memory


def settled(daemon: Daemon, descriptors: int) -> bool:
    return daemon.descriptors <= descriptors


def test_a_client_that_has_already_sent_gets_its_greeting_and_no_reset(start: Start) -> None:
    daemon = start()
    daemon.freeze()
    with connect(daemon.port) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n" * 1000)
        daemon.thaw()
        assert read_all(client) == answer()
        client.sendall(b"more")
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_client_that_has_already_closed_its_side_gets_its_greeting(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    daemon.freeze()
    with connect(daemon.port) as client:
        client.sendall(b"bye")
        client.shutdown(socket.SHUT_WR)
        daemon.thaw()
        assert read_all(client) == answer(LONGEST)


def test_clients_that_wait_in_the_queue_are_all_answered(start: Start) -> None:
    daemon = start()
    daemon.freeze()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(daemon.port)) for _ in range(300)]
        daemon.thaw()
        assert [read_all(client) for client in clients] == [answer()] * 300


def test_a_slow_reader_gets_the_longest_greeting_whole(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(15)
        client.connect(("127.0.0.1", daemon.port))
        got = b""
        while piece := client.recv(4096):
            got += piece
            time.sleep(0.01)
    assert got == answer(LONGEST)


def test_clients_that_never_read_are_let_go(start: Start) -> None:
    daemon = start("--greet", LONGEST)
    descriptors, memory = at_rest(daemon)
    with ExitStack() as stack:
        for _ in range(400):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.connect(("127.0.0.1", daemon.port))
        assert ask(daemon.port) == answer(LONGEST)
        assert daemon.descriptors <= descriptors + 257
        wait_until(lambda: settled(daemon, descriptors), "clients that never read let go")
        assert daemon.memory < memory + MEBIBYTE


def test_clients_that_send_megabytes_are_cut_off(start: Start) -> None:
    daemon = start()
    descriptors, memory = at_rest(daemon)
    chunk = bytes(MEBIBYTE)
    with ExitStack() as stack:
        daemon.freeze()
        clients = [stack.enter_context(connect(daemon.port)) for _ in range(20)]
        for client in clients:
            client.setblocking(False)
            client.send(chunk)
        daemon.thaw()
        sending, sent = clients, 0
        while sending:
            for client in list(sending):
                try:
                    sent += client.send(chunk)
                except BlockingIOError:
                    continue
                except (ConnectionResetError, BrokenPipeError):
                    sending.remove(client)
            assert ask(daemon.port) == answer()
    assert sent <= 20 * 32 * MEBIBYTE
    wait_until(lambda: settled(daemon, descriptors), "clients that send megabytes cut off")
    assert daemon.memory < memory + MEBIBYTE


def test_clients_that_reset_do_no_harm(start: Start) -> None:
    daemon = start()
    (descriptors, memory), log = at_rest(daemon), daemon.log
    for round_ in range(10):
        if round_ % 2:
            daemon.freeze()  # so that they reset while they wait in the queue
        for number in range(200):
            client = connect(daemon.port)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            if number % 2:
                client.send(b"x")
            client.close()
        daemon.thaw()
    assert ask(daemon.port) == answer()
    wait_until(lambda: settled(daemon, descriptors), "clients that reset forgotten")
    assert daemon.memory < memory + MEBIBYTE
    assert daemon.log == log


def test_thousands_of_clients_that_stay_hold_no_descriptor(start: Start) -> None:
    daemon = start()
    descriptors, memory = at_rest(daemon)
    with ExitStack() as stack:
        for _ in range(2000):
            stack.enter_context(connect(daemon.port))
        assert ask(daemon.port) == answer()
        wait_until(lambda: settled(daemon, descriptors), "answered clients forgotten")
        assert daemon.memory < memory + MEBIBYTE


def test_clients_that_send_and_stay_are_bounded_in_number_and_time(start: Start) -> None:
    daemon = start()
    descriptors, _ = at_rest(daemon)
    with ExitStack() as stack:
        daemon.freeze()
        for _ in range(400):
            stack.enter_context(connect(daemon.port)).send(b"I stay")
        daemon.thaw()
        assert ask(daemon.port) == answer()
        assert descriptors < daemon.descriptors <= descriptors + 257
        wait_until(lambda: settled(daemon, descriptors), "clients that stay let go")


def test_nothing_is_logged_per_connection(start: Start) -> None:
    daemon = start()
    log = daemon.log
    for _ in range(300):
        ask(daemon.port)
    assert daemon.log == log
