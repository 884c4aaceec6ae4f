# SPDX-License-Identifier: Apache-2.0
"""A client that sends requests to services all the time, and records the answers.

It is a separate program (`python3 -I ask.py JSON`) that runs next to the nodes, so that the
process that evaluates the answers does not slow it down. The argument is a list of targets {"name",
"host", "port", "every", "patience", "source", "send", "expect", "command"}, with times in seconds.
If a target has a command, a request runs it in a shell, and exit code 0 is an answer. Otherwise a
request is a TCP connection to which `send` is written; the answer is complete when the other side
closes, or as soon as the regular expression `expect` matches. Each request becomes one JSON line on
stdout: asked and at on the monotonic clock, the target's name, the source, and the text or the
error. Another line, {"stalled": [from, to]}, gives a time in which the program itself did not run,
or was busy: no service can be blamed for it. The program ends when stdin does.
"""

from __future__ import annotations

import errno
import heapq
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

# With more, hadeb would measure this machine and not the service.
MOST_IN_FLIGHT = 512
MOST_RECEIVED = 1 << 20
# Seconds that a round may take on an idle machine, beyond the time it meant to wait.
PUNCTUAL = 0.02


@dataclass
class Request:
    """A request in flight: a connection, or a command whose output is read."""

    target: dict[str, Any]
    asked: float
    channel: socket.socket | IO[bytes]
    to_send: bytes = b""
    process: subprocess.Popen[bytes] | None = None
    has_closed: bool = False
    # How long the client had stalled when it asked.
    stalled: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def is_whole(self) -> bool:
        """Whether the expected answer is there, although the other side has not closed yet."""
        expected = None if self.process else self.target.get("expect")
        text = self.received.decode("utf-8", "backslashreplace")
        return bool(expected and re.search(expected, text))


class Client:
    """Sends requests to all targets from one thread; a target that is slow delays no other."""

    def __init__(self, targets: list[dict[str, Any]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._due = [(time.monotonic(), number) for number in range(len(targets))]
        self._targets = targets
        self._in_flight: set[int] = set()
        self._stalled = 0.0

    def run(self) -> None:
        """Send requests until stdin ends."""
        begun = time.monotonic()
        while True:
            pause = self._until_due()
            for key, events in self._selector.select(pause):
                if key.fileobj is sys.stdin.buffer:
                    if not os.read(sys.stdin.fileno(), 4096):
                        self._stop()
                        return
                elif events & selectors.EVENT_WRITE:
                    self._send(key.data)
                else:
                    self._receive(key.data)
            now = time.monotonic()
            self._note_stall(begun + pause, now)
            begun = now
            self._expire(now)
            self._start_due(now)

    def _note_stall(self, due: float, now: float) -> None:
        """Record that this round ended later than it should have, for no fault of a service's."""
        if now - due > PUNCTUAL:
            self._stalled += now - due
            _write({"stalled": [due, now]})

    def _until_due(self) -> float:
        return max(0.0, min(0.05, self._due[0][0] - time.monotonic()))

    def _start_due(self, now: float) -> None:
        while self._due[0][0] <= now:
            due, number = heapq.heappop(self._due)
            target = self._targets[number]
            # Never in a burst to catch up: that would be a different load.
            heapq.heappush(self._due, (max(due + target["every"], now), number))
            if len(self._in_flight) < MOST_IN_FLIGHT:
                if target.get("command"):
                    self._start_command(target)
                else:
                    self._connect(target)

    def _start_command(self, target: dict[str, Any]) -> None:
        process = subprocess.Popen(
            ["sh", "-c", target["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert process.stdout
        request = Request(target, time.monotonic(), process.stdout, process=process)
        request.stalled = self._stalled
        self._register(request, selectors.EVENT_READ)

    def _connect(self, target: dict[str, Any]) -> None:
        family = socket.AF_INET6 if ":" in target["host"] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        to_send = str(target.get("send") or "").encode("utf-8", "surrogateescape")
        request = Request(target, time.monotonic(), connection, to_send, stalled=self._stalled)
        try:
            if target.get("source"):
                connection.bind((target["source"], 0))
            failure = connection.connect_ex((target["host"], target["port"]))
        except OSError as error:
            failure = error.errno or errno.EIO
        self._register(request, selectors.EVENT_WRITE if to_send else selectors.EVENT_READ)
        if failure not in (0, errno.EINPROGRESS):
            self._end(request, os.strerror(failure))

    def _register(self, request: Request, events: int) -> None:
        self._in_flight.add(id(request))
        self._selector.register(request.channel, events, request)

    def _send(self, request: Request) -> None:
        assert isinstance(request.channel, socket.socket)
        try:
            sent = request.channel.send(request.to_send)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(request, os.strerror(error.errno or errno.EIO))
            return
        request.to_send = request.to_send[sent:]
        if not request.to_send:
            self._selector.modify(request.channel, selectors.EVENT_READ, request)

    def _receive(self, request: Request) -> None:
        if request.has_closed:
            self._end(request, None)
            return
        try:
            data = os.read(request.channel.fileno(), 65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(request, os.strerror(error.errno or errno.EIO))
            return
        request.received += data
        if not data and request.process:
            self._await_exit(request, request.process.pid)
        elif not data:
            self._end(request, None if request.received else "closed without an answer")
        elif len(request.received) > MOST_RECEIVED:
            self._end(request, "an answer that does not end")
        elif request.is_whole():
            self._end(request, None)

    def _await_exit(self, request: Request, pid: int) -> None:
        """Wait for a command to exit, which may be long after it closed its output."""
        self._selector.unregister(request.channel)
        request.channel.close()
        request.channel, request.has_closed = os.fdopen(os.pidfd_open(pid), "rb"), True
        self._selector.register(request.channel, selectors.EVENT_READ, request)

    def _expire(self, now: float) -> None:
        for request in self._requests():
            waited = now - request.asked - (self._stalled - request.stalled)
            if waited > request.target["patience"]:
                self._end(request, "no answer in time")

    def _requests(self) -> list[Request]:
        return [key.data for key in self._selector.get_map().values() if key.data]

    def _stop(self) -> None:
        for request in self._requests():
            _reap(request)

    def _end(self, request: Request, error: str | None) -> None:
        status = _reap(request)
        if request.has_closed and not error and status:
            error = f"ended with {status}"
        line = {
            "asked": request.asked,
            "at": time.monotonic(),
            "target": request.target["name"],
            "source": request.target.get("source") or "",
            "text": request.received.decode("utf-8", "backslashreplace"),
            "error": error,
        }
        self._selector.unregister(request.channel)
        request.channel.close()
        self._in_flight.discard(id(request))
        _write(line)


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _reap(request: Request) -> int:
    """Kill a command's process group; the command's own exit status."""
    if not request.process:
        return 0
    # Before it is reaped: until then the kernel cannot reuse the group's number.
    with suppress(ProcessLookupError):
        os.killpg(request.process.pid, 9)
    return request.process.wait()


if __name__ == "__main__":
    Client(json.loads(sys.argv[1])).run()
