# SPDX-License-Identifier: Apache-2.0
"""Atomic writes, and files that are on the disk when a function returns, in the order of the calls.

A kill leaves the page cache intact, a power cut does not: everything that a later step relies on is
synced before that step. A new name needs its directory synced as well (fsync(2)).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hadeb.interrupt import clean_up_after
from hadeb.parallel import in_parallel

# How the name of a file or link begins while it is being made.
UNFINISHED = ".unfinished-"
# How the name of a staged file ends; see `stage`.
STAGED = ".part"


def sync(paths: Iterable[Path]) -> None:
    """Sync files and directories, several at a time: one commit of the journal serves many."""
    in_parallel(_fsync, paths)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory and its missing parents, and sync the name of each."""
    made = []
    for directory in (path, *path.parents):
        if directory.is_dir():
            break
        made.append(directory)
    for directory in reversed(made):
        directory.mkdir(mode=mode, exist_ok=True)
        _fsync(directory.parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees all of the old content or all of the new."""
    temporary = path.with_name(f"{UNFINISHED}{path.name}")
    temporary.write_bytes(content)
    _fsync(temporary)
    temporary.replace(path)
    _fsync(path.parent)


def stage(path: Path, content: bytes) -> Path:
    """Write content beside a file, under a name of its own, for a later rename to `path`.

    Nothing is synced. The name begins with a dot and ends with STAGED.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=STAGED, dir=path.parent)
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            # mkstemp's 0600 would keep others, such as apt's own user, from reading the file.
            os.fchmod(stream.fileno(), 0o644)
    except BaseException as error:
        clean_up_after(error, staged.unlink)
        raise
    return staged


def point(link: Path, target: str) -> None:
    """Point a symbolic link at another target atomically."""
    temporary = link.with_name(f"{UNFINISHED}{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    _fsync(link.parent)


def sync_tree(root: Path) -> None:
    """Sync a directory and everything in it."""
    directories = []
    files = []
    for directory, _, names in os.walk(root):
        directories.append(Path(directory))
        files += [Path(directory, name) for name in names]
    sync(files)
    sync(directories)
