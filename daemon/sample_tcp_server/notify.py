# SPDX-License-Identifier: Apache-2.0
"""Notifications to systemd over the socket that it offers (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from sample_tcp_server import log

_PATIENCE = 1.0  # seconds to wait while systemd's queue is full


class Notifier:
    """Sends states to the service manager; does nothing without one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket: socket.socket | None = None
        self.watchdog = _watchdog_seconds(environment)
        path = environment.get("NOTIFY_SOCKET", "")
        if not path:
            return
        # Stays open, so that it works when descriptors run out.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.settimeout(_PATIENCE)
            self._socket.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError as error:
            self._give_up(path, error)

    def ready(self, status: str) -> None:
        """Start-up or a reload is complete."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload begins; ready() ends it."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self, status: str) -> None:
        """The daemon begins to stop."""
        self._send(f"STOPPING=1\nSTATUS={status}")

    def alive(self) -> None:
        """The event loop still runs."""
        self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(os.fsencode(state))
        except OSError as error:
            log.warning(f"cannot tell systemd {state.partition('=')[0]}: {error}")

    def _give_up(self, path: str, error: OSError) -> None:
        log.warning(f"cannot reach systemd at NOTIFY_SOCKET {path}: {error}")
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Seconds between two signs of life, half the allowed time; None without a watchdog."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    allowed = environment.get("WATCHDOG_USEC", "")
    if not allowed.isdecimal() or int(allowed) == 0:
        return None
    return int(allowed) / 2 / 1_000_000
