# SPDX-License-Identifier: Apache-2.0
"""Processes that another process of hadeb started, and that are therefore no children of ours."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

_DEAD = {"Z", "X", "x"}
_POLL = 0.05


class Foreign:
    """A process that is not our child: as much of Popen as a node needs of its nspawn.

    `begun` is when it began, in ticks since boot: with its number it names one process only.
    """

    def __init__(self, pid: int, begun: int) -> None:
        self.pid = pid
        self._begun = begun

    def poll(self) -> int | None:
        """0 once it has ended."""
        try:
            return None if begun_at(self.pid) == self._begun else 0
        except ProcessLookupError:
            return 0

    def wait(self, timeout: float) -> int:
        """Wait for its end."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(_POLL)
        return 0


def begun_at(pid: int) -> int:
    """When a process began, in ticks since boot; ProcessLookupError where there is none alive."""
    try:
        stat = Path("/proc", str(pid), "stat").read_bytes()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    fields = stat.rpartition(b")")[2].split()
    if fields[0].decode() in _DEAD:
        raise ProcessLookupError(pid)
    return int(fields[19])
