# SPDX-License-Identifier: Apache-2.0
"""--probe: exit 0 for a greeting, 1 with a line that says why there is none."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from socket import create_server

import pytest

from integration.daemon.conftest import Start
from support.daemon_process import MODULE, environment, free_port


def probe(
    python: str, target: str, *arguments: str, flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *flags, *MODULE, "--probe", target, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


@contextmanager
def server(*says: bytes | None) -> Iterator[int]:
    """Answers each client with the next of these, with the last one from then on, or never with
    None; yields its port."""
    with create_server(("127.0.0.1", free_port())) as listener:

        def serve() -> None:
            held = []
            answers = chain(says, repeat(says[-1]))
            try:
                while True:
                    client, _ = listener.accept()
                    held.append(client)
                    if (answer := next(answers)) is not None:
                        client.sendall(answer)
                        held.pop().close()
            except OSError:
                for client in held:
                    client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(2)
            thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_greeting_is_found(start: Start, python: str, host: str) -> None:
    daemon = start()
    ended = probe(python, f"{host}:{daemon.port}")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_here_accepts_a_greeting_of_this_machine(start: Start, python: str, host: str) -> None:
    daemon = start()
    assert probe(python, f"{host}:{daemon.port}", "--here").returncode == 0


def test_here_with_a_value_is_refused(python: str) -> None:
    ended = probe(python, "127.0.0.1:1", "--here=yes")
    assert ended.returncode == 2
    assert "--here takes no value" in ended.stderr


@pytest.mark.parametrize("greet", ["Hi!", "", " ", "a This is b", "é\udcff", "-x"])
def test_the_expected_greeting_is_found(start: Start, python: str, greet: str) -> None:
    daemon = start(f"--greet={greet}")
    assert probe(python, f"127.0.0.1:{daemon.port}", f"--expect={greet}").returncode == 0


@pytest.mark.parametrize(("greet", "expect"), [("Hi!", "Hi"), ("a This is b", "a"), (" a", "a")])
def test_another_greeting_is_not_taken_for_it(
    start: Start, python: str, greet: str, expect: str
) -> None:
    daemon = start("--greet", greet)
    target = f"127.0.0.1:{daemon.port}"
    ended = probe(python, target, "--expect", expect, "--timeout=1")
    assert (ended.returncode, ended.stderr) == (
        1,
        f"sample-tcp-server: {target}: the greeting is {greet!r}, not {expect!r}\n",
    )


def test_an_expected_greeting_is_waited_for(start: Start, python: str) -> None:
    daemon = start(settings={"greet": "old"})
    target = f"127.0.0.1:{daemon.port}"
    waiting = subprocess.Popen(
        [python, *MODULE, "--probe", target, "--expect=new", "--timeout=15"], env=environment()
    )
    with waiting:
        time.sleep(0.2)
        assert waiting.poll() is None
        daemon.write({"greet": "new"})
        daemon.reload()
        assert waiting.wait(10) == 0


def test_the_wrong_greeting_is_reported_even_if_the_last_try_got_no_answer(python: str) -> None:
    with server(b"old This is x!\n", None) as port:
        target = f"127.0.0.1:{port}"
        message = probe(python, target, "--expect=new", "--timeout=1").stderr
    assert message == f"sample-tcp-server: {target}: the greeting is 'old', not 'new'\n"


def test_the_longest_greeting_is_read_whole(start: Start, python: str) -> None:
    daemon = start("--greet", "g" * 65536)
    assert probe(python, f"127.0.0.1:{daemon.port}", "--expect", "g" * 65536).returncode == 0


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (None, "no answer in time"),
        (b"", "closed unanswered"),
        (b"220 mail ESMTP\r\n", "'220 mail ESMTP\\r\\n' is not a greeting"),
        (b"Hello! This is !\n", "'Hello! This is !\\n' is not a greeting"),
        (b"Hello! This is ha1!", "'Hello! This is ha1!' is not a greeting"),
    ],
)
def test_an_answer_that_is_no_greeting_is_reported(
    python: str, says: bytes | None, reason: str
) -> None:
    with server(says) as port:
        ended = probe(python, f"127.0.0.1:{port}", "--timeout=0.5")
    assert (ended.returncode, ended.stderr) == (
        1,
        f"sample-tcp-server: 127.0.0.1:{port}: {reason}\n",
    )


def test_an_endless_answer_is_not_read_for_ever(python: str) -> None:
    with server(b"x" * (1 << 21)) as port:
        assert probe(python, f"127.0.0.1:{port}").returncode == 1


def test_a_closed_port_is_reported_at_once(python: str) -> None:
    port = free_port()
    ended = probe(python, f"127.0.0.1:{port}")
    assert (ended.returncode, ended.stderr) == (
        1,
        f"sample-tcp-server: 127.0.0.1:{port}: Connection refused\n",
    )


def test_bad_usage_exits_with_2_and_lists_every_fault(python: str) -> None:
    ended = probe(python, "::1", "--timeout=soon", "--port=5678")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "sample-tcp-server: port: --port does not go with --probe",
        "sample-tcp-server: probe: '::1' is not HOST:PORT, or [ADDRESS]:PORT for IPv6",
        "sample-tcp-server: timeout: 'soon' is not a number of seconds above 0",
    ]


def test_the_probe_imports_nothing_slow(start: Start, python: str) -> None:
    daemon = start()
    ended = probe(python, f"127.0.0.1:{daemon.port}", flags=("-X", "importtime"))
    assert ended.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "sample_tcp_server.probe" in imported
    assert not imported & {"asyncio", "argparse", "inspect", "dataclasses", "encodings.idna"}
