# SPDX-License-Identifier: Apache-2.0
"""Processes that may be no children of ours, as /proc tells of them (proc(5))."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
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
    fields = _stat(pid)
    if fields[0] in _DEAD:
        raise ProcessLookupError(pid)
    return int(fields[19])


def children_of(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    found = []
    for entry in os.listdir("/proc"):
        # Any of them may end while we look.
        with suppress(ProcessLookupError):
            if entry.isdigit() and int(_stat(int(entry))[1]) == pid:
                found.append(int(entry))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of a process's stat, from its state on, which is the third."""
    try:
        stat = Path("/proc", str(pid), "stat").read_bytes()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    # The name before the state is in parentheses and may hold anything, parentheses too.
    return stat.rpartition(b")")[2].decode().split()
