# SPDX-License-Identifier: Apache-2.0
"""The client recognizes complete and invalid answers from real services on loopback."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hadeb.lab.client import ask
from hadeb.lab.client.answers import UNNAMED, Answer
from hadeb.lab.client.outage import Stall, outage
from hadeb.lab.client.watch import Target, _answer, targets_of
from hadeb.manifest.cluster import AnswerTable

HERE = "127.0.0.1"


@contextlib.contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A service that does `talk` with each connection; its port."""
    with socket.create_server((HERE, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        # Closing alone does not wake who waits in accept.
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextlib.contextmanager
def serving_pages(status: int) -> Iterator[int]:
    """A web server whose pages all have the one status."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.path} of {self.headers['Host']}: This is ha2!\n".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HERE, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def target(**settings: object) -> Target:
    asked = Target("service", HERE, 0, every=0.05, patience=5.0)
    return dataclasses.replace(asked, **settings)  # type: ignore[arg-type]


def first_answer(asked: Target, *, expect: str = "") -> Answer:
    """A target in the client's first line, as a watch reads it."""
    program = (sys.executable, "-I", ask.__file__, json.dumps([dataclasses.asdict(asked)]))
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        line = next(line for line in lines_of(client) if "target" in line)
        client.communicate()
        assert client.returncode == 0
    return _answer(line, expect)


def lines_of(client: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Each line of a client; one without a target tells that a busy machine held it up."""
    assert client.stdout
    while line := client.stdout.readline():
        yield json.loads(line)


def asked_as(table: AnswerTable, every: float = 0.05) -> Target:
    """The target that the manifest's [cluster.answer] becomes for the service's address."""
    service = targets_of(table, {}, ["127.0.0.1"])[0]
    return dataclasses.replace(service, every=every, patience=5.0)


def pong(connection: socket.socket) -> None:
    """As redis does: answers each PING in pieces, and leaves the connection open."""
    while asked := connection.recv(100):
        assert asked == b"PING\r\n"
        for piece in (b"+PO", b"NG\r\n"):
            connection.sendall(piece)
            time.sleep(0.05)


def slow_pong(connection: socket.socket) -> None:
    """Answers after a moment, so that requests are in flight at any time."""
    time.sleep(0.05)
    connection.sendall(b"+PONG\r\n")


def test_an_expected_answer_is_complete_without_a_close() -> None:
    with serving(pong) as port:
        table = AnswerTable(address=HERE, port=port, send="PING\r\n", expect=r"\+PONG\r\n")
        answer = first_answer(asked_as(table), expect=table.expect)
    assert (answer.text, answer.error, answer.who) == ("+PONG\r\n", None, UNNAMED)
    assert answer.at - answer.asked < 3


@pytest.mark.parametrize(
    "asked",
    [
        target(patience=0.3, every=0.02, expect="NG"),
        target(command="sleep 0.1; echo +PONG", patience=0.3, every=0.15),
    ],
    ids=["connection", "command"],
)
def test_a_client_that_did_not_run_itself_blames_no_service(asked: Target) -> None:
    with serving(slow_pong) as port:
        own = dataclasses.replace(asked, port=port)
        program = (sys.executable, "-I", ask.__file__, json.dumps([dataclasses.asdict(own)]))
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdin
            lines = [next(lines_of(client)) for _ in range(3)]
            client.send_signal(signal.SIGSTOP)
            time.sleep(1.0)
            client.send_signal(signal.SIGCONT)
            heard = 0
            for line in lines_of(client):
                lines.append(line)
                heard += "target" in line
                if heard == 10:
                    client.stdin.close()
                    break
    stalls = [Stall(*line["stalled"]) for line in lines if "stalled" in line]
    answers = [_answer(line, "PONG") for line in lines if "target" in line]
    assert 0.9 < max(stall.end - stall.start for stall in stalls) < 2.0
    assert {answer.error for answer in answers} == {None}
    with_it, without = outage(answers), outage(answers, stalls)
    assert with_it is not None
    assert without is not None
    assert with_it.seconds > 0.9
    assert without.seconds < 0.6


def test_without_an_expectation_an_open_connection_is_no_answer() -> None:
    with serving(pong) as port:
        answer = first_answer(target(port=port, send="PING\r\n", patience=2.0))
    assert answer.error == "no answer in time"
    assert answer.text == "+PONG\r\n"


def test_a_wrong_answer_of_one_that_closes_is_heard_whole() -> None:
    with serving(lambda connection: connection.sendall(b"-LOADING\r\n")) as port:
        answer = first_answer(target(port=port, expect=r"\+PONG"), expect=r"\+PONG")
    assert (answer.text, answer.error, answer.who) == ("-LOADING\r\n", None, None)


def test_a_slow_reader_gets_the_whole_request() -> None:
    sent = "x" * 3_000_000

    def count(connection: socket.socket) -> None:
        heard = 0
        while heard < len(sent):
            heard += len(connection.recv(65536))
        connection.sendall(str(heard).encode())

    # More than a command line may hold, so not by way of the program.
    with serving(count) as port, socket.create_connection((HERE, port)) as connection:
        connection.setblocking(False)
        client = ask.Client.__new__(ask.Client)
        request = ask.Request({"name": "x"}, 0.0, connection, sent.encode())
        changed: list[int] = []

        class Selector:
            def modify(self, _: object, events: int, __: object) -> None:
                changed.append(events)

        client._selector = Selector()  # type: ignore[assignment]
        while request.to_send:
            client._send(request)
        connection.setblocking(True)
        assert connection.recv(100) == b"3000000"
        assert len(changed) == 1


def test_a_service_that_closes_without_a_word_gave_no_answer() -> None:
    with serving(lambda connection: None) as port:
        assert first_answer(target(port=port)).error == "closed without an answer"


@pytest.mark.parametrize("send", ["", "PING\r\n"])
def test_a_refused_port_is_reported_with_and_without_a_request(send: str) -> None:
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
    answer = first_answer(target(port=port, send=send))
    assert (answer.error, answer.who) == ("Connection refused", None)


def test_an_answer_without_an_end_is_cut() -> None:
    def pour(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"more and more " * 1000)

    with serving(pour) as port:
        answer = first_answer(target(port=port))
    assert answer.error == "an answer that does not end"
    assert len(answer.text) < 2 * ask.MOST_RECEIVED


def test_bytes_that_are_not_text_count_as_an_answer() -> None:
    with serving(lambda connection: connection.sendall(b"\xff\x00 This is ha1!")) as port:
        answer = first_answer(target(port=port), expect=r"This is (?P<node>\S+)!")
    assert answer.who == "ha1"


def test_a_page_is_an_answer_and_names_who_gave_it() -> None:
    with serving_pages(200) as port:
        table = AnswerTable(
            kind="http", address=HERE, port=port, path="/a?b", expect=r"This is (?P<node>\S+)!"
        )
        answer = first_answer(asked_as(table), expect=table.expect)
    assert (answer.error, answer.who) == (None, "ha2")
    assert answer.text.endswith(f"/a?b of {HERE}: This is ha2!\n")


@pytest.mark.parametrize("status", [404, 503])
def test_a_page_that_says_it_is_none_is_an_error_whatever_it_says_else(status: int) -> None:
    with serving_pages(status) as port:
        table = AnswerTable(kind="http", address=HERE, port=port, expect=r"This is (?P<node>\S+)!")
        answer = first_answer(asked_as(table), expect=table.expect)
    assert (answer.error, answer.who) == (f"HTTP {status}", None)


def test_a_command_answers_with_what_it_prints() -> None:
    table = AnswerTable(kind="command", address=HERE, command="echo asked {address}; echo >&2 too")
    answer = first_answer(asked_as(table))
    assert (answer.text, answer.error) == (f"asked {HERE}\ntoo\n", None)


def test_a_command_that_prints_nothing_and_ends_with_0_is_an_answer() -> None:
    answer = first_answer(target(command="true"))
    assert (answer.text, answer.error, answer.who) == ("", None, UNNAMED)


def test_a_command_that_fails_gave_no_answer() -> None:
    answer = first_answer(target(command="echo no; exit 7"))
    assert (answer.text, answer.error, answer.who) == ("no\n", "ended with 7", None)


def test_a_command_that_prints_what_is_expected_and_then_fails_gave_no_answer() -> None:
    answer = first_answer(target(command="echo PONG; exit 7", expect="PONG"), expect="PONG")
    assert answer.error == "ended with 7"


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 87654 & echo $! $$ >{pids}; echo begun; wait"
    answer = first_answer(target(command=script, patience=2.0, every=60.0))
    assert (answer.text, answer.error) == ("begun\n", "no answer in time")
    wait_for_the_end_of(map(int, pids.read_text("utf-8").split()))


def test_a_background_process_of_a_command_does_not_delay_its_answer(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 87654 & echo $! >{pids}; echo done"
    answer = first_answer(target(command=script, patience=2.0, every=60.0))
    assert answer.error == "no answer in time"
    wait_for_the_end_of(map(int, pids.read_text("utf-8").split()))


def test_commands_under_way_end_with_the_client(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    asked = [
        target(command=f"echo $$ >{pids}; exec sleep 87654", every=60.0),
        target(command="true"),
    ]
    argument = json.dumps([dataclasses.asdict(wanted) for wanted in asked])
    program = (sys.executable, "-I", ask.__file__, argument)
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout
        client.stdout.readline()
        while not (pids.exists() and pids.read_text("utf-8")):
            time.sleep(0.01)
        client.communicate()
    wait_for_the_end_of([int(pids.read_text("utf-8"))])


def test_a_command_that_outlives_its_output_does_not_delay_others(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    heard.touch()
    # It goes on until others have been asked, and at most for its patience.
    until = f'until [ "$(wc -l <{heard})" -gt 9 ]; do sleep 0.05; done'
    lingering = target(
        name="lingering", command=f"echo last; exec >&- 2>&-; {until}; exit 3", patience=20.0
    )
    others = target(command=f"echo >>{heard}", every=0.02)
    asked = [dataclasses.replace(lingering, every=60.0), others]
    argument = json.dumps([dataclasses.asdict(wanted) for wanted in asked])
    program = (sys.executable, "-I", ask.__file__, argument)
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout
        before = 0
        while (line := json.loads(client.stdout.readline())).get("target") != "lingering":
            before += 1
        client.communicate()
    assert (line["text"], line["error"]) == ("last\n", "ended with 3")
    assert before > 5


def wait_for_the_end_of(pids: Iterable[int]) -> None:
    deadline = time.monotonic() + 5
    for pid in pids:
        while is_alive(pid):
            assert time.monotonic() < deadline, f"{pid} is still there"
            time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
