# SPDX-License-Identifier: Apache-2.0
"""Processes that another process of hadeb started, and that are therefore no children of ours."""

from __future__ import annotations

import os
import select
import subprocess
import weakref
from pathlib import Path


class Foreign:
    """A process that is not our child: as much of Popen as a node needs of its nspawn."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._end = os.pidfd_open(pid)
        weakref.finalize(self, os.close, self._end)

    def poll(self) -> int | None:
        """0 once it has ended."""
        return 0 if select.select([self._end], [], [], 0)[0] else None

    def wait(self, timeout: float) -> int:
        """Wait for its end."""
        if not select.select([self._end], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return 0


def begun_at(pid: int) -> int:
    """When a process began, in ticks since boot: with its number it names one process only."""
    stat = Path("/proc", str(pid), "stat").read_bytes()
    return int(stat.rpartition(b")")[2].split()[19])
