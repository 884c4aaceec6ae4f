# SPDX-License-Identifier: Apache-2.0
"""Connections that cannot be closed at once, bounded in number, bytes and time.

Closing a socket with unread data makes the kernel send a reset, which may overtake the greeting
or take it from the client. So what a client has sent is read and thrown away until it closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from socket import SHUT_WR, SocketType

MAX_CONNECTIONS = 256
MAX_BYTES = 16 << 20  # thrown away per connection; then the client gets its reset
MAX_SECONDS = 2.0

_scrap = bytearray(65536)  # where unwanted data goes; never read


class _Guest:
    """A connection, what it still has to get, how much more it may send, and until when."""

    __slots__ = ("connection", "unsent", "allowance", "deadline")

    def __init__(self, connection: SocketType, unsent: bytes, deadline: float) -> None:
        self.connection = connection
        self.unsent = unsent
        self.allowance = MAX_BYTES
        self.deadline = deadline


class Lingering:
    """Finishes what the accept loop could not; forgets the oldest when there are too many."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._guests: dict[int, _Guest] = {}  # by descriptor; in order of arrival
        self._timer: asyncio.TimerHandle | None = None
        self._when_empty: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._guests)

    def take(self, connection: SocketType, unsent: bytes) -> None:
        """Own a connection from here on; `unsent` is what is left of its answer."""
        if len(self._guests) >= MAX_CONNECTIONS:
            self.drop_oldest()
        connection.setblocking(False)
        descriptor = connection.fileno()
        guest = _Guest(connection, unsent, self._loop.time() + MAX_SECONDS)
        self._loop.add_reader(descriptor, self._read, guest)
        if unsent:
            self._loop.add_writer(descriptor, self._write, guest)
        self._guests[descriptor] = guest
        if self._timer is None:
            self._timer = self._loop.call_at(guest.deadline, self._drop_overdue)

    def drop_oldest(self) -> bool:
        """Close the oldest to free its descriptor; False where there is none."""
        for guest in self._guests.values():
            self._close(guest)
            return True
        return False

    def when_empty(self, callback: Callable[[], object]) -> None:
        """Call back once, as soon as no connection is left."""
        self._when_empty = callback
        self._tell_if_empty()

    def _read(self, guest: _Guest) -> None:
        try:
            count = guest.connection.recv_into(_scrap)
        except BlockingIOError:
            return
        except OSError:
            self._close(guest)
            return
        guest.allowance -= count
        if guest.allowance < 0 or (count == 0 and not guest.unsent):
            self._close(guest)
        elif count == 0:  # it may close its side early and still wait for its greeting
            self._loop.remove_reader(guest.connection.fileno())

    def _write(self, guest: _Guest) -> None:
        try:
            guest.unsent = guest.unsent[guest.connection.send(guest.unsent) :]
            if not guest.unsent:
                self._loop.remove_writer(guest.connection.fileno())
                guest.connection.shutdown(SHUT_WR)
                self._loop.add_reader(guest.connection.fileno(), self._read, guest)
        except BlockingIOError:
            pass
        except OSError:
            self._close(guest)

    def _close(self, guest: _Guest) -> None:
        descriptor = guest.connection.fileno()
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        guest.connection.close()
        del self._guests[descriptor]
        self._tell_if_empty()

    def _drop_overdue(self) -> None:
        now = self._loop.time()
        for guest in list(self._guests.values()):
            if guest.deadline > now:
                self._timer = self._loop.call_at(guest.deadline, self._drop_overdue)
                return
            self._close(guest)
        self._timer = None

    def _tell_if_empty(self) -> None:
        if not self._guests and self._when_empty is not None:
            self._when_empty()
            self._when_empty = None
