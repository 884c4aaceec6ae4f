# SPDX-License-Identifier: Apache-2.0
"""What a killed command leaves in its temporary directory: files and processes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Collection
from pathlib import Path

# The end of a name by tempfile.
_CHANCE = re.compile("[a-z0-9_]{8}$")
# Seconds for what a killed command has started to end by itself.
_GRACE = 1.0


def left(directory: Path, wanted: Collection[str] = ()) -> list[str]:
    """What is left there but not wanted, and programs that live there; they have a second to end.

    What chance chooses of a name is a star.
    """
    deadline = time.monotonic() + _GRACE
    while (processes := _now(directory, wanted)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes


def kept(directory: Path) -> list[str]:
    """The empty directories that a command has under the same names each time."""
    return [
        path.name
        for path in directory.iterdir()
        if path.is_dir() and not _CHANCE.search(path.name) and not any(path.iterdir())
    ]


def swept(directory: Path) -> None:
    """Take away what is left, and end the programs that a killed command has left with it."""
    for number in _processes(directory):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(exist_ok=True)


def _now(directory: Path, wanted: Collection[str]) -> list[str]:
    names: list[str] = []
    # What lies deeper goes with what is above it.
    for path in sorted({*directory.glob("*"), *directory.glob("*/*")}):
        words = [_CHANCE.sub("*", part) for part in path.relative_to(directory).parts]
        # A star alone is the file with which Python tries whether it can write there.
        if words[0] != "*" and "/".join(words) not in wanted and words[0] not in names:
            names.append("/".join(words))
    programs = sorted(f"{Path(words[0]).name} runs" for words in _processes(directory).values())
    return [*names, *programs]


def _processes(directory: Path) -> dict[int, list[str]]:
    """The processes whose command lines name the directory."""
    processes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            # It may end while we look.
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if any(str(directory) in word for word in words):
                    processes[int(entry.name)] = words
    return processes
