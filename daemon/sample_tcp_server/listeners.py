# SPDX-License-Identifier: Apache-2.0
"""The listening sockets, and how they change without losing a connection."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sample_tcp_server.endpoints import Change, Endpoint, wildcards

BACKLOG = 4096  # the kernel clips it to net.core.somaxconn

# Errors of socket() and bind() for a family that this machine lacks or has switched off.
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL)


class CannotListen(Exception):
    """Where listening failed and why, a sentence each."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


Listeners = dict[Endpoint, socket.socket]


def open_listeners(change: Change, current: Listeners) -> Listeners:
    """Sockets that listen on all of `change.open`. CannotListen leaves everything as it was.

    If both wildcards are asked for and the machine lacks one family, the other is enough.
    `current` are the open sockets; their addresses may overlap the new ones.
    """
    opened: Listeners = {}
    failed: list[str] = []
    missing: list[str] = []
    with _overlap_allowed(current.values()):
        for endpoint in change.open:
            try:
                opened[endpoint] = _listen(endpoint, share=bool(current))
            except OSError as error:
                reason = f"cannot listen on {endpoint}: {os.strerror(error.errno or 0)}"
                everywhere = set(wildcards(endpoint.port)) <= {*change.open, *change.keep}
                tolerable = everywhere and error.errno in _NO_SUCH_FAMILY
                (missing if tolerable else failed).append(reason)
        if not opened and not change.keep:
            failed += missing
        if failed:
            close_all(opened.values())
            raise CannotListen(*failed)
        for listener in opened.values():
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    return opened


def close_all(listeners: Iterable[socket.socket]) -> None:
    """Close each."""
    for listener in listeners:
        listener.close()


def _listen(endpoint: Endpoint, *, share: bool) -> socket.socket:
    listener = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if endpoint.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(endpoint.sockaddr)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _overlap_allowed(listeners: Iterable[socket.socket]) -> Iterator[None]:
    """Let a new socket bind an address that overlaps an open one, as 127.0.0.1 and 0.0.0.0 do.

    SO_REUSEPORT allows that, but would also let a second daemon take the port unnoticed. So it is
    set only while sockets are opened beside others.
    """
    for listener in listeners:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for listener in listeners:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
