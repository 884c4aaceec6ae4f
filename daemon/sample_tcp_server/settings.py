# SPDX-License-Identifier: Apache-2.0
"""The settings: a flag beats the settings file, the environment and the default, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from sample_tcp_server.endpoints import Endpoint, parse_address, wildcards

MAX_GREETING = 65536  # bytes; more than any line that a person or a cluster writes
_MAX_FILE = 4 * MAX_GREETING
_KEYS = ("greet", "port", "bind")
_DEFAULTS = {"greet": b"Hello!", "port": b"5678", "bind": b""}


class BadSettings(Exception):
    """What is wrong with the settings, a sentence each."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class Settings(NamedTuple):
    """Valid settings. `bind` is empty for all addresses of IPv4 and of IPv6."""

    greet: bytes
    port: int
    bind: tuple[str, ...]

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What to listen on."""
        if not self.bind:
            return wildcards(self.port)
        return tuple(dict.fromkeys(parse_address(host, self.port) for host in self.bind))

    def answer(self) -> bytes:
        """The bytes each client gets; the node's name is read each time."""
        return self.greet + b" This is " + os.fsencode(os.uname().nodename) + b"!\n"


class Sources(NamedTuple):
    """Where settings come from; read() may be called repeatedly."""

    options: Mapping[str, str]
    environment: Mapping[bytes, bytes]

    def read(self) -> Settings:
        """The settings as they are now. Raises BadSettings with every fault."""
        faults: list[str] = []
        given = {key: (key, value) for key, value in _DEFAULTS.items()}
        for key in _KEYS:
            value = self.environment.get(key.upper().encode())
            if value is not None:
                given[key] = (key, value)
        path = self.options.get("settings") or os.fsdecode(self.environment.get(b"SETTINGS", b""))
        if path:
            given.update(_read_file(path, faults))
        for key in _KEYS:
            if key in self.options:
                given[key] = (key, os.fsencode(self.options[key]))
        settings = Settings(
            _greet(*given["greet"], faults),
            _port(*given["port"], faults),
            _bind(*given["bind"], faults),
        )
        if faults:
            raise BadSettings(*faults)
        return settings


def _read_file(path: str, faults: list[str]) -> dict[str, tuple[str, bytes]]:
    """Key to (place, value); a value is every byte after the first `=` up to the newline."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        faults.append(f"settings: cannot read {path}: {reason}")
        return {}
    if len(content) > _MAX_FILE:
        faults.append(f"settings: {path} has more than {_MAX_FILE} bytes")
        return {}
    given: dict[str, tuple[str, bytes]] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        name, equals, value = line.partition(b"=")
        key = name.decode("ascii", "replace")
        if not equals or key not in _KEYS:
            faults.append(f"{path}:{number}: {_quote(line)} is not greet=, port= or bind=")
        elif key in given:
            faults.append(f"{path}:{number}: {key} is given twice")
        else:
            given[key] = (f"{path}:{number}: {key}", value)
    return given


def _greet(place: str, value: bytes, faults: list[str]) -> bytes:
    if b"\n" in value:
        faults.append(f"{place}: a greeting is one line, and {_quote(value)} has a newline")
    if b"\0" in value:
        faults.append(f"{place}: a greeting cannot hold a NUL byte, as {_quote(value)} does")
    if len(value) > MAX_GREETING:
        faults.append(f"{place}: a greeting of {len(value)} bytes is over {MAX_GREETING}")
    return value


def _port(place: str, value: bytes, faults: list[str]) -> int:
    if value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 65535:
        return int(value)
    faults.append(f"{place}: {_quote(value)} is not between 1 and 65535")
    return 0


def _bind(place: str, value: bytes, faults: list[str]) -> tuple[str, ...]:
    if not value:
        return ()
    hosts = tuple(part.strip() for part in os.fsdecode(value).split(","))
    for host in hosts:
        try:
            parse_address(host, 0)
        except ValueError:
            shown = _quote(os.fsencode(host))
            faults.append(f"{place}: {shown} is not an IPv4 or IPv6 address")
    return hosts


def _quote(value: bytes) -> str:
    """A value as a reader sees it in quotes, kept short."""
    text = value.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 60 else text[:57] + "...")
