# SPDX-License-Identifier: Apache-2.0
"""Keep superseded indexes available by hash.

A client that has already read InRelease can still fetch the indexes that it names.
"""

from __future__ import annotations

from pathlib import Path

from hadeb.files.digest import digest
from hadeb.repo.disk.indexes import index_paths
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.repository import RepoSuite

# How many seconds a client may take from InRelease to the last index, and how many generations are
# kept at least.
_KEPT_SECONDS = 3600
_KEPT_GENERATIONS = 5


def keep_superseded_indexes(tree: Tree, suite: RepoSuite, directory: Path, now: float) -> None:
    """Link the indexes of recent generations into a new one, under by-hash."""
    ended = now
    for distance, number in enumerate(reversed(tree.numbers(suite.name)), start=1):
        # A generation was in force until the next one was made; that moment counts.
        if distance > _KEPT_GENERATIONS and now - ended > _KEPT_SECONDS:
            break
        old = tree.generation(suite.name, number)
        for path in index_paths(suite).values():
            _link_by_hash(old / f"{path}.gz", directory / f"{path}.gz")
        ended = old.stat().st_mtime


def _link_by_hash(old: Path, new: Path) -> None:
    if not old.exists():
        return
    link = new.parent / "by-hash" / "SHA256" / digest(old)
    if not link.exists():
        link.hardlink_to(old)
