# SPDX-License-Identifier: Apache-2.0
"""A client that asks TCP services for their greeting, many times a second, and writes it down.

Runs by itself (`python3 -I ask.py JSON`) beside the nodes, so that what it measures is not slowed
by whoever watches. The argument is a list of targets {"name", "host", "port", "every", "patience",
"source"}, times in seconds. Each connection becomes one JSON line on stdout: asked and at on the
monotonic clock, the target's name, the source, and the text or the error. It ends when stdin does.
"""

from __future__ import annotations

import errno
import heapq
import json
import os
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

# More would mean that the machine, not the service, is what we measure.
MOST_IN_FLIGHT = 512


@dataclass
class Asking:
    """One connection under way."""

    target: dict[str, Any]
    asked: float
    connection: socket.socket
    heard: bytearray = field(default_factory=bytearray)


class Asker:
    """All targets, asked in turn from one thread; whoever does not answer delays nobody else."""

    def __init__(self, targets: list[dict[str, Any]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._due = [(time.monotonic(), number) for number in range(len(targets))]
        self._targets = targets
        self._under_way: dict[socket.socket, Asking] = {}

    def run(self) -> None:
        """Ask until stdin ends."""
        while True:
            for key, _ in self._selector.select(self._pause()):
                if key.fileobj is sys.stdin.buffer:
                    if not os.read(sys.stdin.fileno(), 4096):
                        return
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
                self._ask(target)

    def _ask(self, target: dict[str, Any]) -> None:
        family = socket.AF_INET6 if ":" in target["host"] else socket.AF_INET
        asking = Asking(target, time.monotonic(), socket.socket(family, socket.SOCK_STREAM))
        asking.connection.setblocking(False)
        self._under_way[asking.connection] = asking
        try:
            if target.get("source"):
                asking.connection.bind((target["source"], 0))
            failure = asking.connection.connect_ex((target["host"], target["port"]))
        except OSError as error:
            failure = error.errno or errno.EIO
        if failure not in (0, errno.EINPROGRESS):
            self._end(asking, os.strerror(failure))
        else:
            self._selector.register(asking.connection, selectors.EVENT_READ, asking)

    def _hear(self, asking: Asking) -> None:
        try:
            data = asking.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(asking, os.strerror(error.errno or errno.EIO))
            return
        asking.heard += data
        if not data:
            self._end(asking, None if asking.heard else "closed without a word")

    def _give_up(self, now: float) -> None:
        late = [one for one in self._under_way.values() if now - one.asked > one.target["patience"]]
        for asking in late:
            self._end(asking, "no answer in time")

    def _end(self, asking: Asking, error: str | None) -> None:
        line = {
            "asked": asking.asked,
            "at": time.monotonic(),
            "target": asking.target["name"],
            "source": asking.target.get("source") or "",
            "text": asking.heard.decode("utf-8", "backslashreplace"),
            "error": error,
        }
        if asking.connection in self._selector.get_map():
            self._selector.unregister(asking.connection)
        asking.connection.close()
        del self._under_way[asking.connection]
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Asker(json.loads(sys.argv[1])).run()
