# SPDX-License-Identifier: Apache-2.0
"""Processes that need not be children of hadeb, read from /proc (proc(5))."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from hadeb.lab.host.wait import wait_until

_DEAD = {"Z", "X", "x"}
_POLL = 0.05


class ForeignProcess:
    """A process that is not a child of hadeb, with the part of Popen that a node needs.

    `begun` is its start time in ticks since boot: a PID and a start time identify one process.
    """

    def __init__(self, pid: int, begun: int) -> None:
        self.pid = pid
        self._begun = begun

    def poll(self) -> int | None:
        """0 once it has ended."""
        try:
            return None if started_at(self.pid) == self._begun else 0
        except ProcessLookupError:
            return 0

    def wait(self, timeout: float) -> int:
        """Wait for its end; subprocess.TimeoutExpired after `timeout` seconds."""
        if not wait_until(lambda: self.poll() is not None, timeout=timeout, pause=_POLL):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return 0


def started_at(pid: int) -> int:
    """A process's start time, in ticks since boot; ProcessLookupError if it is not alive."""
    fields = _stat(pid)
    if fields[0] in _DEAD:
        raise ProcessLookupError(pid)
    return int(fields[19])


def children_of(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    children = []
    for entry in os.listdir("/proc"):
        # Any process may end while we look.
        with suppress(ProcessLookupError):
            if entry.isdigit() and int(_stat(int(entry))[1]) == pid:
                children.append(int(entry))
    return children


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat, from the third, its state, on."""
    try:
        stat = Path("/proc", str(pid), "stat").read_bytes()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    # The name before the state is in parentheses, and may itself contain parentheses.
    return stat.rpartition(b")")[2].decode().split()
