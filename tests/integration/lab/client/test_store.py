# SPDX-License-Identifier: Apache-2.0
"""A value goes to a real service and comes back, by each kind of answer."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, ClassVar, cast

import pytest

from hadeb.lab.client.store import Store
from hadeb.lab.client.stored import outcome, value_of
from hadeb.lab.host.namespaces import Namespaces
from hadeb.manifest.cluster import AnswerTable

VALUE = value_of("standby", "0a1b2c3d")
TCP: dict[str, Any] = {"write": "SET {value}\n", "write_expect": r"\+OK", "read": "GET\n"}


class Here:
    """Stands for a lab's namespaces: programs run on this machine."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def start(self, *argv: str, stdin: int, stdout: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT)


class KeepsOpen(socketserver.StreamRequestHandler):
    """A server that closes no connection, like Redis; it keeps what `kept` allows."""

    kept: ClassVar = [b"$-1"]
    forgets = False

    def handle(self) -> None:
        for line in self.rfile:
            command, _, value = line.strip().partition(b" ")
            if command == b"SET":
                if not self.forgets:
                    self.kept[0] = value
                self.wfile.write(b"+OK\r\n")
            else:
                self.wfile.write(self.kept[0] + b"\r\n")


class Forgets(KeepsOpen):
    kept: ClassVar = [value_of("daemon-killed", "ffffffff").encode()]
    forgets = True


class Web(http.server.BaseHTTPRequestHandler):
    """A store of one page, with tokens."""

    page: ClassVar[list[bytes]] = []

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        allowed = self.headers["X-Token"] == "1"
        if allowed:
            self.page[:] = [body]
        self.send_response(201 if allowed else 403)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200 if self.page else 404)
        self.end_headers()
        self.wfile.write(b"".join(self.page))

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def store(state: Path, table: AnswerTable) -> Store:
    return Store(cast(Namespaces, Here(state)), table, "127.0.0.1", VALUE)


def table(port: int, **keys: Any) -> AnswerTable:
    return AnswerTable(address="127.0.0.1", port=port, **keys)


def result(store: Store, table: AnswerTable) -> tuple[str, str]:
    answer = store.read()
    assert answer
    return outcome(table, answer, VALUE)


def test_over_tcp_even_if_the_server_keeps_connections_open(tmp_path: Path) -> None:
    with serving(KeepsOpen) as port:
        tcp = table(port, **TCP)
        client = store(tmp_path, tcp)
        assert result(client, tcp) == ("gone", "")
        assert client.write()[0]
        assert result(client, tcp) == ("kept", "")


def test_an_older_value_is_told_from_none(tmp_path: Path) -> None:
    with serving(Forgets) as port:
        tcp = table(port, **TCP)
        client = store(tmp_path, tcp)
        assert client.write()[0]
        assert result(client, tcp) == ("older", "daemon-killed")
    assert result(client, tcp) == ("unread", "")


def test_over_http_with_headers_and_a_body(tmp_path: Path) -> None:
    with serving(Web) as port:
        http = table(port, kind="http", write="PUT /k\nX-Token: 1\n\n{value}", read="GET /k")
        client = store(tmp_path, http)
        assert result(client, http) == ("gone", "")
        assert client.write()[0]
        assert result(client, http) == ("kept", "")


def test_a_refused_write_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hadeb.lab.client.store._WRITING", 1.0)
    with serving(Web) as port:
        http = table(port, kind="http", write="PUT /k\n\n{value}", read="GET /k")
        acknowledged, said = store(tmp_path, http).write()
    assert acknowledged is None
    assert said.startswith("HTTP/1.0 403")


def test_by_a_command(tmp_path: Path) -> None:
    place = tmp_path / "value"
    command = AnswerTable(
        kind="command",
        address="127.0.0.1",
        command="true",
        write=f"echo {{value}} >{place}.{{address}}",
        read=f"cat {place}.{{address}}",
    )
    client = store(tmp_path, command)
    assert result(client, command) == ("unread", "")
    assert client.write()[0]
    assert result(client, command) == ("kept", "")
