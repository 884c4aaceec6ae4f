# SPDX-License-Identifier: Apache-2.0
"""The accept loop: take a connection, answer, close, with nothing in between.

Answering takes no transport, no task and no wait: the answer fits the empty buffer of a new
socket, so a readable listener is emptied in one go. What does not fit is handed to Lingering.
"""

from __future__ import annotations

import asyncio
import errno
import os
from fcntl import ioctl
from socket import AF_INET, MSG_DONTWAIT, MSG_MORE, SHUT_WR, SOCK_STREAM, SocketType, socket
from termios import FIONREAD

from sample_tcp_server import log
from sample_tcp_server.lingering import Lingering

BATCH = 128  # connections before signals, the watchdog and the other listeners get their turn
LAST_BATCH = 8192  # connections answered at most after the order to stop, from each listener
PAUSE = 0.1  # seconds without accepting when descriptors or memory have run out
CALM = 5.0  # seconds without a shortage before it counts as over

# MSG_MORE holds the answer back for the moment until shutdown() sends it along with the FIN:
# one segment instead of two, and the FIN cannot be overtaken by a reset.
_SEND_FLAGS = int(MSG_MORE | MSG_DONTWAIT)
_INET, _STREAM, _WR = int(AF_INET), int(SOCK_STREAM), int(SHUT_WR)
_NOTHING = bytes(4)  # FIONREAD's int, as it is when there is nothing to read

# What accept(2) passes on from a connection that died in the queue: no concern of ours.
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
        """Answer whoever connects there from now on."""
        self._watched.add(listener)
        if self._resume is None:
            self._loop.add_reader(listener, self._accept_batch, listener)

    def finish(self, listener: socket) -> None:
        """Answer those whose handshake is done, then close the listener."""
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
        """Log the first of a row of failures; the row ends after CALM seconds without one."""
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
        """A listener stays readable when accept fails: look away, or the loop would spin."""
        if self._resume is None:
            for listener in self._watched:
                self._loop.remove_reader(listener)
            self._resume = self._loop.call_later(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        for listener in tuple(self._watched):
            self.watch(listener)
