# SPDX-License-Identifier: Apache-2.0
"""A client that checks whether a greeting comes: the deep monitor runs it.

It starts every few seconds for years, so it imports next to nothing.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time

from sample_tcp_server import log

DEFAULT_SECONDS = 5.0
_PAUSE = 0.02  # seconds between two tries
_MAX_ANSWER = 1 << 17  # bytes; the daemon's longest is about half of that


class NoGreeting(Exception):
    """Why there is no greeting, a sentence."""


class TooLate(NoGreeting):
    """Time ran out during a try."""

    def __init__(self) -> None:
        super().__init__("no answer in time")


def probe(options: dict[str, str], faults: list[str]) -> int:
    """Return 0 for a greeting in time, 1 and a line on standard error without, 2 for bad usage.

    `faults` are those of the command line; they are reported together with those of the values.
    """
    host, port, seconds = _read(options, faults)
    if faults:
        log.faults(faults)
        return 2
    expected = os.fsencode(options["expect"]) if "expect" in options else None
    deadline = time.monotonic() + seconds
    reason = ""
    while True:
        try:
            check(ask(host, port, deadline, here="here" in options), expected)
            return 0
        except TooLate as error:
            reason = reason or str(error)  # the reason of an earlier try says more
        except NoGreeting as error:
            reason = str(error)
        if expected is None or time.monotonic() + _PAUSE >= deadline:
            sys.stderr.write(f"sample-tcp-server: {options['probe']}: {reason}\n")
            return 1
        time.sleep(_PAUSE)


def ask(host: str, port: int, deadline: float, *, here: bool = False) -> bytes:
    """What the server sends up to the end of the line or the connection. Raises NoGreeting.

    With `here`, a server on another machine raises NoGreeting as well.
    """
    answer = b""
    # The host as bytes, which socket takes as well: a str would import the IDNA tables, 6 ms.
    name = os.fsencode(host)
    try:
        with socket.create_connection(
            (name, port),  # type: ignore[arg-type]
            timeout=_left(deadline),
            # Only the machine that has an address can connect from it.
            source_address=(name, 0) if here else None,
        ) as connection:
            while not answer.endswith(b"\n") and len(answer) < _MAX_ANSWER:
                connection.settimeout(_left(deadline))
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
    except socket.timeout as error:
        raise TooLate from error
    except (OSError, UnicodeError) as error:
        if here and isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
            raise NoGreeting("the address is another machine's") from error
        reason = error.strerror if isinstance(error, OSError) else None
        raise NoGreeting(reason or str(error)) from error
    return answer


def check(answer: bytes, expected: bytes | None) -> None:
    """Raise NoGreeting unless the answer is a greeting, and the expected one if one is given."""
    greeting, middle, node = answer.rpartition(b" This is ")
    if not (middle and node.endswith(b"!\n") and len(node) > len(b"!\n")):
        raise NoGreeting(f"{_quote(answer)} is not a greeting" if answer else "closed unanswered")
    if expected is not None and greeting != expected:
        raise NoGreeting(f"the greeting is {_quote(greeting)}, not {_quote(expected)}")


def _read(options: dict[str, str], faults: list[str]) -> tuple[str, int, float]:
    """Host, port and seconds. Bad values add to `faults`; then the result means nothing."""
    host, colon, port = options["probe"].rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not (host and colon and 1 <= number <= 65535):
        faults.append(f"probe: {options['probe']!r} is not HOST:PORT, or [ADDRESS]:PORT for IPv6")
    try:
        seconds = float(options.get("timeout", DEFAULT_SECONDS))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        faults.append(f"timeout: {options['timeout']!r} is not a number of seconds above 0")
    return host, number, seconds


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TooLate
    return left


def _quote(value: bytes) -> str:
    text = value.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 60 else text[:57] + "...")
