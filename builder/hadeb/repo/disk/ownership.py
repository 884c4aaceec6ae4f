# SPDX-License-Identifier: Apache-2.0
"""Which files of the pool are hadeb's: those that a list names, and those recorded here.

A file is recorded before it goes into the pool. So hadeb can tell the leftovers of a killed or
refused command from files that somebody else put there, which it must not remove.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from hadeb.errors import UsageError
from hadeb.files import atomic
from hadeb.repo.disk.layout import Tree


def add(tree: Tree, paths: Iterable[str]) -> None:
    """Record files that are about to go into the pool.

    This is not synced: if a power cut loses it, it costs only disk space.
    """
    # Begin with a newline, because a kill may have left half a line.
    text = "".join(f"\n{path}\n" for path in paths)
    if text:
        with tree.owned_files.open("a", encoding="utf-8") as stream:
            stream.write(text)


def owned(tree: Tree) -> set[str]:
    """All files recorded since the last `replace`, by their paths in the repository."""
    try:
        return set(tree.owned_files.read_text("utf-8").split("\n")) - {""}
    except FileNotFoundError:
        return set()


def replace(tree: Tree, paths: Iterable[str]) -> None:
    """Record these files and no others, and sync that to the disk."""
    text = "".join(f"{path}\n" for path in sorted(paths))
    if text or tree.owned_files.exists():
        atomic.replace(tree.owned_files, text.encode())


def refuse_foreign_files(tree: Tree) -> None:
    """Raise UsageError if a new repository would share a directory with another one."""
    if tree.state.exists():
        return
    pool = tree.root / "pool"
    for taken in (tree.dists, pool):
        if any(names for _, _, names in os.walk(taken)) or any(
            path.is_symlink() for path in taken.glob("*")
        ):
            raise UsageError(
                f"{taken} holds files of a repository that is not hadeb's",
                hint="name an empty directory with --repo; if this was hadeb's, restore its .hadeb "
                "from a copy",
            )
