# SPDX-License-Identifier: Apache-2.0
"""Directories that are gone when a command has ended; where it was killed, the next removes them.

The kernel's lock on each tells whether its command lives, whatever number a process has: several
containers may share one directory for temporary files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def throwaway(kind: str) -> Iterator[Path]:
    """An empty directory for this user alone."""
    above = _above()
    if above is None:
        with tempfile.TemporaryDirectory(prefix=f"hadeb-{kind}-") as name:
            yield Path(name)
        return
    with throwaway_in(above, f"{kind}-") as place:
        yield place


def sweep() -> None:
    """Remove the directories of this user's commands that were killed."""
    above = _above()
    if above is not None:
        sweep_in(above)


def is_private(directory: Path) -> bool:
    """Whether it is a directory of this user that nobody else could reach into."""
    found = directory.lstat()
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    return private and found.st_uid == os.geteuid()


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)


@contextmanager
def throwaway_in(
    above: Path, prefix: str = "", remove: Callable[[Path], None] = _remove
) -> Iterator[Path]:
    """One in a directory that has nothing else, and that is private."""
    # Nobody looks for dead ones between making and locking.
    with _locked(above):
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
        mark = _opened(place)
        fcntl.flock(mark, fcntl.LOCK_EX)
    try:
        yield place
    finally:
        remove(place)
        os.close(mark)


def sweep_in(above: Path, remove: Callable[[Path], None] = _remove) -> None:
    """Remove those of killed commands from there."""
    with _locked(above):
        for place in list(above.iterdir()):
            try:
                mark = _opened(place)
            except OSError:
                # Its command has ended just now; or it is not of ours.
                continue
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                remove(place)
            finally:
                os.close(mark)


def _above() -> Path | None:
    """Where all of them are; None where it is somebody else's, who could reach into it."""
    above = Path(tempfile.gettempdir(), f"hadeb-{os.geteuid()}")
    try:
        above.mkdir(mode=0o700, exist_ok=True)
        return above if is_private(above) else None
    except OSError:
        return None


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = _opened(directory)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _opened(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
