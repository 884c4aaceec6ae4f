# SPDX-License-Identifier: Apache-2.0
"""Which files of the pool are hadeb's own: those that a list names, and those noted here.

A file is noted before it comes into the pool, so that what a killed or refused command has left
there can be told from what somebody else has put there, which is not for hadeb to remove.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from hadeb.errors import UsageError
from hadeb.files import atomic
from hadeb.repo.disk.layout import Tree


def add(tree: Tree, paths: Iterable[str]) -> None:
    """Note files that are about to come into the pool.

    Not synced: what a power cut takes of it costs space, and nothing else.
    """
    # A kill may have left half a line.
    text = "".join(f"\n{path}\n" for path in paths)
    if text:
        with tree.owned_files.open("a", encoding="utf-8") as stream:
            stream.write(text)


def owned(tree: Tree) -> set[str]:
    """All files that were noted since the last `replace`, below the repository."""
    try:
        return set(tree.owned_files.read_text("utf-8").split("\n")) - {""}
    except FileNotFoundError:
        return set()


def replace(tree: Tree, paths: Iterable[str]) -> None:
    """Let these files be noted, and no others, on the disk."""
    text = "".join(f"{path}\n" for path in sorted(paths))
    if text or tree.owned_files.exists():
        atomic.replace(tree.owned_files, text.encode())


def refuse_foreign_files(tree: Tree) -> None:
    """UsageError where a repository is to be born in a directory that another one lives in."""
    if tree.state.exists():
        return
    pool = tree.root / "pool"
    for taken in (tree.dists, pool):
        if any(names for _, _, names in os.walk(taken)) or any(
            path.is_symlink() for path in taken.glob("*")
        ):
            raise UsageError(
                f"{taken} holds files of a repository that hadeb does not know",
                hint="--repo names a directory for hadeb alone; if this was hadeb's, put its "
                ".hadeb back from a copy",
            )
