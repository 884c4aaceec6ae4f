# SPDX-License-Identifier: Apache-2.0
"""A client that asks services all the time, and writes down what it hears.

Runs by itself (`python3 -I ask.py JSON`) beside the nodes, so that what it measures is not slowed
by whoever watches. The argument is a list of targets {"name", "host", "port", "every", "patience",
"source", "send", "expect", "command"}, times in seconds. A target with a command is asked by
running it in a shell, and has answered when that ends with 0; any other by a TCP connection, to
which `send` is written: its answer is whole when the other side closes, or as soon as it holds what
`expect`, a regular expression, describes. Each becomes one JSON line on stdout: asked and at on the
monotonic clock, the target's name, the source, and the text or the error. It ends when stdin does.
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

# More would mean that the machine, not the service, is what we measure.
MOST_IN_FLIGHT = 512
MOST_HEARD = 1 << 20


@dataclass
class Asking:
    """One question under way, by a connection or by a command whose output is read."""

    target: dict[str, Any]
    asked: float
    channel: socket.socket | IO[bytes]
    to_send: bytes = b""
    process: subprocess.Popen[bytes] | None = None
    is_mute: bool = False
    heard: bytearray = field(default_factory=bytearray)

    def is_whole(self) -> bool:
        """Whether it holds what is expected, though the other side has not closed yet."""
        expected = None if self.process else self.target.get("expect")
        text = self.heard.decode("utf-8", "backslashreplace")
        return bool(expected and re.search(expected, text))


class Asker:
    """All targets, asked in turn from one thread; whoever does not answer delays nobody else."""

    def __init__(self, targets: list[dict[str, Any]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._due = [(time.monotonic(), number) for number in range(len(targets))]
        self._targets = targets
        self._under_way: set[int] = set()

    def run(self) -> None:
        """Ask until stdin ends."""
        while True:
            for key, events in self._selector.select(self._pause()):
                if key.fileobj is sys.stdin.buffer:
                    if not os.read(sys.stdin.fileno(), 4096):
                        self._leave()
                        return
                elif events & selectors.EVENT_WRITE:
                    self._speak(key.data)
                else:
                    self._hear(key.data)
            now = time.monotonic()
            self._give_up(now)
            self._ask_due(now)

    def _pause(self) -> float:
        return max(0.0, min(0.05, self._due[0][0] - time.monotonic()))

    def _ask_due(self, now: float) -> None:
        while self._due[0][0] <= now:
            due, number = heapq.heappop(self._due)
            target = self._targets[number]
            # Never in a burst to catch up: that would be another load.
            heapq.heappush(self._due, (max(due + target["every"], now), number))
            if len(self._under_way) < MOST_IN_FLIGHT:
                if target.get("command"):
                    self._run(target)
                else:
                    self._ask(target)

    def _run(self, target: dict[str, Any]) -> None:
        process = subprocess.Popen(
            ["sh", "-c", target["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert process.stdout
        asking = Asking(target, time.monotonic(), process.stdout, process=process)
        self._watch(asking, selectors.EVENT_READ)

    def _ask(self, target: dict[str, Any]) -> None:
        family = socket.AF_INET6 if ":" in target["host"] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        to_send = str(target.get("send") or "").encode("utf-8", "surrogateescape")
        asking = Asking(target, time.monotonic(), connection, to_send)
        try:
            if target.get("source"):
                connection.bind((target["source"], 0))
            failure = connection.connect_ex((target["host"], target["port"]))
        except OSError as error:
            failure = error.errno or errno.EIO
        self._watch(asking, selectors.EVENT_WRITE if to_send else selectors.EVENT_READ)
        if failure not in (0, errno.EINPROGRESS):
            self._end(asking, os.strerror(failure))

    def _watch(self, asking: Asking, events: int) -> None:
        self._under_way.add(id(asking))
        self._selector.register(asking.channel, events, asking)

    def _speak(self, asking: Asking) -> None:
        assert isinstance(asking.channel, socket.socket)
        try:
            sent = asking.channel.send(asking.to_send)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(asking, os.strerror(error.errno or errno.EIO))
            return
        asking.to_send = asking.to_send[sent:]
        if not asking.to_send:
            self._selector.modify(asking.channel, selectors.EVENT_READ, asking)

    def _hear(self, asking: Asking) -> None:
        if asking.is_mute:
            self._end(asking, None)
            return
        try:
            data = os.read(asking.channel.fileno(), 65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(asking, os.strerror(error.errno or errno.EIO))
            return
        asking.heard += data
        if not data and asking.process:
            self._await_end(asking, asking.process.pid)
        elif not data:
            self._end(asking, None if asking.heard else "closed without a word")
        elif len(asking.heard) > MOST_HEARD:
            self._end(asking, "an answer without an end")
        elif asking.is_whole():
            self._end(asking, None)

    def _await_end(self, asking: Asking, pid: int) -> None:
        """Hear of a command's end, which may come long after its last word."""
        self._selector.unregister(asking.channel)
        asking.channel.close()
        asking.channel, asking.is_mute = os.fdopen(os.pidfd_open(pid), "rb"), True
        self._selector.register(asking.channel, selectors.EVENT_READ, asking)

    def _give_up(self, now: float) -> None:
        for asking in self._all_under_way():
            if now - asking.asked > asking.target["patience"]:
                self._end(asking, "no answer in time")

    def _all_under_way(self) -> list[Asking]:
        return [key.data for key in self._selector.get_map().values() if key.data]

    def _leave(self) -> None:
        for asking in self._all_under_way():
            _reap(asking)

    def _end(self, asking: Asking, error: str | None) -> None:
        status = _reap(asking)
        if asking.is_mute and not error and status:
            error = f"ended with {status}"
        line = {
            "asked": asking.asked,
            "at": time.monotonic(),
            "target": asking.target["name"],
            "source": asking.target.get("source") or "",
            "text": asking.heard.decode("utf-8", "backslashreplace"),
            "error": error,
        }
        self._selector.unregister(asking.channel)
        asking.channel.close()
        self._under_way.discard(id(asking))
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _reap(asking: Asking) -> int:
    """End a command with all that it started in its group; how it ended itself."""
    if not asking.process:
        return 0
    # Before its own end is taken note of: until then the group's number is nobody else's.
    with suppress(ProcessLookupError):
        os.killpg(asking.process.pid, 9)
    return asking.process.wait()


if __name__ == "__main__":
    Asker(json.loads(sys.argv[1])).run()
