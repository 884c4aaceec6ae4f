# SPDX-License-Identifier: Apache-2.0
"""Scratch directories: removed when a command ends, or by the next command if it was killed.

A lock on each directory tells whether its command still runs. A process ID could not: several
containers may share one directory for temporary files.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeb.files.lock import acquire_directory, locked_directory, try_directory


@contextmanager
def scratch_directory(kind: str) -> Iterator[Path]:
    """An empty directory that only this user can reach; `kind` becomes part of its name."""
    parent = _parent()
    if parent is None:
        with tempfile.TemporaryDirectory(
            prefix=f"hadeb-{kind}-", ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
        return
    with scratch_directory_in(parent, f"{kind}-") as directory:
        yield directory


def sweep() -> None:
    """Remove the scratch directories of this user's commands that were killed."""
    parent = _parent()
    if parent is not None:
        sweep_in(parent)


def is_private(directory: Path) -> bool:
    """Whether it is a directory of this user that nobody else can reach into."""
    status = directory.lstat()
    private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    return private and status.st_uid == os.geteuid()


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def scratch_directory_in(
    parent: Path, prefix: str = "", remove: Callable[[Path], None] = _remove
) -> Iterator[Path]:
    """A scratch directory in `parent`, which is private and holds nothing else."""
    # The lock on the parent keeps a sweep out until the new directory is locked itself.
    with locked_directory(parent):
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = acquire_directory(directory)
    try:
        yield directory
    finally:
        remove(directory)
        os.close(lock)


def sweep_in(parent: Path, remove: Callable[[Path], None] = _remove) -> None:
    """Remove the scratch directories in `parent` whose commands were killed."""
    with locked_directory(parent):
        for directory in list(parent.iterdir()):
            try:
                lock = try_directory(directory)
            except OSError:
                # Its command has just ended, or it is not a scratch directory.
                continue
            if lock is None:
                continue
            try:
                remove(directory)
            finally:
                os.close(lock)


def _parent() -> Path | None:
    """The directory that holds them all; None if somebody else could reach into it."""
    parent = Path(tempfile.gettempdir(), f"hadeb-{os.geteuid()}")
    try:
        parent.mkdir(mode=0o700, exist_ok=True)
        return parent if is_private(parent) else None
    except OSError:
        return None
