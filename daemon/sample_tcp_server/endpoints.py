# SPDX-License-Identifier: Apache-2.0
"""Addresses to listen on, as plain values, and the steps from one set of them to another."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import NamedTuple

_WILDCARDS = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


class Endpoint(NamedTuple):
    """An address and port of one family; IPv6 endpoints never take IPv4 connections.

    `scope` is the interface's number for link-local IPv6 addresses, else 0.
    """

    family: socket.AddressFamily
    host: str
    port: int
    scope: int = 0

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def sockaddr(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """What bind() takes."""
        if self.family == socket.AF_INET6:
            return (self.host, self.port, 0, self.scope)
        return (self.host, self.port)

    def covers(self, other: Endpoint) -> bool:
        """Whether this is the wildcard that also takes the other's connections."""
        same = (self.family, self.port) == (other.family, other.port)
        return same and self != other and self.host == _WILDCARDS[self.family]


class Change(NamedTuple):
    """The steps from one set of endpoints to another."""

    keep: tuple[Endpoint, ...]
    open: tuple[Endpoint, ...]
    retire: tuple[Endpoint, ...]


def wildcards(port: int) -> tuple[Endpoint, ...]:
    """All addresses of both families."""
    return tuple(Endpoint(family, host, port) for family, host in _WILDCARDS.items())


def parse_address(host: str, port: int) -> Endpoint:
    """An endpoint from a numeric address, never a name. Raises ValueError."""
    try:
        canonical = socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, host))
        return Endpoint(socket.AF_INET, canonical, port)
    except (OSError, ValueError):
        pass
    address, percent, zone = host.partition("%")
    try:
        canonical = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))
        scope = socket.if_nametoindex(zone) if percent else 0
    except (OSError, ValueError) as error:
        raise ValueError(f"{host!r} is not an IPv4 or IPv6 address") from error
    return Endpoint(socket.AF_INET6, canonical, port, scope)


def change(current: Iterable[Endpoint], wanted: Iterable[Endpoint]) -> Change:
    """The steps from `current` to `wanted` during which every wanted endpoint keeps answering.

    An open endpoint stays open if a wanted wildcard covers it: closing it would only risk the
    handshakes under way. A wanted endpoint that a wanted wildcard covers is not opened.
    """
    current, wanted = tuple(current), tuple(wanted)

    def covered(endpoint: Endpoint) -> bool:
        return any(other.covers(endpoint) for other in wanted)

    keep = tuple(each for each in current if each in wanted or covered(each))
    return Change(
        keep=keep,
        open=tuple(each for each in wanted if each not in current and not covered(each)),
        retire=tuple(each for each in current if each not in keep),
    )
