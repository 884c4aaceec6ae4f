# SPDX-License-Identifier: Apache-2.0
"""Files and directories that are on the disk when a function returns, in the order they were made.

A kill leaves the page cache whole, a power cut does not: whatever a later step relies on is
synced before that step (fsync(2): a new name wants its directory synced, too).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hadeb.parallel import at_once

# How the name of a file or link begins while it is not what its name says.
UNFINISHED = ".unfinished-"


def sync(paths: Iterable[Path]) -> None:
    """Bring files and directories to the disk, several at once: one journal commit serves many."""
    at_once(_sync_one, paths)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory and those above it, each one's name on the disk."""
    made = []
    for directory in (path, *path.parents):
        if directory.is_dir():
            break
        made.append(directory)
    for directory in reversed(made):
        directory.mkdir(mode=mode, exist_ok=True)
        _sync_one(directory.parent)


def replace(path: Path, content: bytes) -> None:
    """Give a file new content: a reader sees the old one or the new one, whole."""
    temporary = path.with_name(f"{UNFINISHED}{path.name}")
    temporary.write_bytes(content)
    _sync_one(temporary)
    temporary.replace(path)
    _sync_one(path.parent)


def point(link: Path, target: str) -> None:
    """Let a symbolic link lead elsewhere, in one step."""
    temporary = link.with_name(f"{UNFINISHED}{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    _sync_one(link.parent)


def sync_tree(root: Path) -> None:
    """Bring all that lies in a directory to the disk, what is deepest first, and itself."""
    directories = []
    files = []
    for directory, _, names in os.walk(root):
        directories.append(Path(directory))
        files += [Path(directory, name) for name in names]
    sync(files)
    sync(directories)
