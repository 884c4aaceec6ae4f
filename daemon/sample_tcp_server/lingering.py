# SPDX-License-Identifier: Apache-2.0
"""Connections that cannot be closed at once, bounded in number, bytes and time.

Closing a socket with unread data makes the kernel send a reset, which may overtake the greeting
or discard it at the client. So the daemon reads and discards what a client sends until it closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from socket import SHUT_WR, socket

MAX_CONNECTIONS = 256
MAX_BYTES = 16 << 20  # discarded per connection; then the client gets its reset
MAX_SECONDS = 2.0

_discarded = bytearray(65536)  # receives unwanted data; never read


class _Connection:
    """A connection: what it must still receive, how much it may still send, and until when."""

    __slots__ = ("socket", "unsent", "allowance", "deadline")

    def __init__(self, connection: socket, unsent: bytes, deadline: float) -> None:
        self.socket = connection
        self.unsent = unsent
        self.allowance = MAX_BYTES
        self.deadline = deadline


class Lingering:
    """Finishes what the accept loop could not; drops the oldest when there are too many."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._connections: dict[int, _Connection] = {}  # by descriptor; in order of arrival
        self._timer: asyncio.TimerHandle | None = None
        self._when_empty: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def take(self, connection: socket, unsent: bytes) -> None:
        """Take over a connection; `unsent` is the rest of its answer."""
        if len(self._connections) >= MAX_CONNECTIONS:
            self.drop_oldest()
        connection.setblocking(False)
        descriptor = connection.fileno()
        lingering = _Connection(connection, unsent, self._loop.time() + MAX_SECONDS)
        self._loop.add_reader(descriptor, self._read, lingering)
        if unsent:
            self._loop.add_writer(descriptor, self._write, lingering)
        self._connections[descriptor] = lingering
        if self._timer is None:
            self._timer = self._loop.call_at(lingering.deadline, self._drop_overdue)

    def drop_oldest(self) -> bool:
        """Close the oldest connection to free its descriptor; False if there is none."""
        for lingering in self._connections.values():
            self._close(lingering)
            return True
        return False

    def when_empty(self, callback: Callable[[], object]) -> None:
        """Call back once, as soon as no connection is left."""
        self._when_empty = callback
        self._call_if_empty()

    def _read(self, lingering: _Connection) -> None:
        try:
            count = lingering.socket.recv_into(_discarded)
        except BlockingIOError:
            return
        except OSError:
            self._close(lingering)
            return
        lingering.allowance -= count
        if lingering.allowance < 0 or (count == 0 and not lingering.unsent):
            self._close(lingering)
        elif count == 0:  # the client may close its side early and still wait for the greeting
            self._loop.remove_reader(lingering.socket.fileno())

    def _write(self, lingering: _Connection) -> None:
        try:
            lingering.unsent = lingering.unsent[lingering.socket.send(lingering.unsent) :]
            if not lingering.unsent:
                self._loop.remove_writer(lingering.socket.fileno())
                lingering.socket.shutdown(SHUT_WR)
                self._loop.add_reader(lingering.socket.fileno(), self._read, lingering)
        except BlockingIOError:
            pass
        except OSError:
            self._close(lingering)

    def _close(self, lingering: _Connection) -> None:
        descriptor = lingering.socket.fileno()
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        lingering.socket.close()
        del self._connections[descriptor]
        self._call_if_empty()

    def _drop_overdue(self) -> None:
        now = self._loop.time()
        for lingering in list(self._connections.values()):
            if lingering.deadline > now:
                self._timer = self._loop.call_at(lingering.deadline, self._drop_overdue)
                return
            self._close(lingering)
        self._timer = None

    def _call_if_empty(self) -> None:
        if not self._connections and self._when_empty is not None:
            self._when_empty()
            self._when_empty = None
