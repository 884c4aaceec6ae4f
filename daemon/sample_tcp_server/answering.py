# SPDX-License-Identifier: Apache-2.0
"""The accept loop: take a connection, answer, close, with nothing in between.

An answer needs no transport, no task and no wait, because it fits into the empty buffer of a new
socket. So one call empties a readable listener. Lingering takes what does not fit.
"""

from __future__ import annotations

import asyncio
import errno
import os
from fcntl import ioctl
from socket import MSG_DONTWAIT, MSG_MORE, SHUT_WR, socket
from termios import FIONREAD

from sample_tcp_server import log
from sample_tcp_server.lingering import Lingering

BATCH = 128  # connections before signals, the watchdog and other listeners get their turn
LAST_BATCH = 8192  # most connections of each listener that are answered after a stop
PAUSE = 0.1  # seconds without accepting when descriptors or memory run out
CALM = 5.0  # seconds without a shortage before it counts as over

# MSG_MORE holds the answer back until shutdown() sends it together with the FIN: one segment
# instead of two, and no reset can overtake the FIN.
_SEND_FLAGS = int(MSG_MORE | MSG_DONTWAIT)
_NOTHING = bytes(4)  # FIONREAD's int, as it is when there is nothing to read

# Errors of a connection that died in the queue (accept(2)); the next one may be fine.
_DIED_IN_QUEUE = {
    errno.ECONNABORTED,
    errno.EPROTO,
    errno.EPERM,
    errno.ENETDOWN,
    errno.ENOPROTOOPT,
    errno.EHOSTDOWN,
    errno.ENONET,
    errno.EHOSTUNREACH,
    errno.EOPNOTSUPP,
    errno.ENETUNREACH,
    errno.EINTR,
}


class Answering:
    """Answers every connection on the listeners it watches with the same bytes."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, lingering: Lingering, answer: bytes
    ) -> None:
        self.answer = answer
        self._loop = loop
        self._lingering = lingering
        self._watched: set[socket] = set()
        self._resume: asyncio.TimerHandle | None = None
        self._calm: asyncio.TimerHandle | None = None

    def watch(self, listener: socket) -> None:
        """Answer the clients of this listener from now on."""
        self._watched.add(listener)
        if self._resume is None:
            self._loop.add_reader(listener, self._accept_batch, listener)

    def finish(self, listener: socket) -> None:
        """Answer the clients that have completed their handshake, then close the listener."""
        self._watched.discard(listener)
        self._loop.remove_reader(listener)
        self._accept_batch(listener, LAST_BATCH)
        listener.close()

    def _accept_batch(self, listener: socket, limit: int = BATCH) -> None:
        answer = self.answer
        for _ in range(limit):
            try:
                connection, _peer = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _DIED_IN_QUEUE:
                    continue
                self._note_shortage(error)
                if self._lingering.drop_oldest():
                    continue
                self._pause()
                return
            try:
                try:
                    sent = connection.send(answer, _SEND_FLAGS)
                except BlockingIOError:  # the kernel is short of memory for sockets
                    sent = 0
                if sent == len(answer):
                    connection.shutdown(SHUT_WR)
                    if ioctl(connection, FIONREAD, _NOTHING) == _NOTHING:
                        connection.close()
                        continue
                self._lingering.take(connection, answer[sent:])
            except OSError:  # the client has gone
                connection.close()

    def _note_shortage(self, error: OSError) -> None:
        """Log the first failure of a series, which ends after CALM seconds without a failure."""
        if self._calm is None:
            reason = os.strerror(error.errno or 0)
            log.warning(f"cannot accept connections: {reason}; trying on, without more lines")
        else:
            self._calm.cancel()
        self._calm = self._loop.call_later(CALM, self._note_calm)

    def _note_calm(self) -> None:
        self._calm = None
        log.notice("accepting connections again")

    def _pause(self) -> None:
        """Stop watching for a moment: a listener stays readable when accept fails."""
        if self._resume is None:
            for listener in self._watched:
                self._loop.remove_reader(listener)
            self._resume = self._loop.call_later(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        for listener in tuple(self._watched):
            self.watch(listener)
