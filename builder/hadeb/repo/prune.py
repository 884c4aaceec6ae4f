# SPDX-License-Identifier: Apache-2.0
"""What nobody needs any more: generations that no rollback wants, files that no list names."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hadeb.repo import durable, pool
from hadeb.repo.generation import load_contents
from hadeb.repo.opening import open_repository
from hadeb.repo.tree import Tree
from hadeb.repo.writer import Writer, writing

# Seconds that a generation stays at least: clients that read it download what it names.
_GRACE = 3600


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go: generations as SUITE/N, and paths of the pool. `size` in bytes."""

    generations: tuple[str, ...]
    files: tuple[str, ...]
    size: int


def prune(writer: Writer, keep: int, *, dry_run: bool) -> Pruned:
    """Remove all but the last `keep` generations of each suite, then what no list names."""
    tree = writer.tree
    with writing(writer):
        repository = open_repository(tree)
        old: list[tuple[str, int]] = []
        wanted: set[str] = set()
        for suite in repository.suites:
            if not dry_run:
                tree.clear_unfinished(suite.name)
            numbers = tree.numbers(suite.name)
            superfluous = [
                number
                for number in numbers[: -max(keep, 1)]
                if writer.now.timestamp() - _ended(tree, suite.name, number, numbers) > _GRACE
            ]
            old += [(suite.name, number) for number in superfluous]
            for number in sorted(set(numbers) - set(superfluous)):
                contents = load_contents(tree.generation(suite.name, number), suite)
                wanted |= {file.path for one in contents.packages for file in one.files}
        files = [
            path for path in pool.paths(tree.root) if str(path.relative_to(tree.root)) not in wanted
        ]
        size = sum(path.stat().st_size for path in files)
        size += sum(_own_size(tree.generation(*each)) for each in old)
        if not dry_run:
            _remove(tree, old, files)
        return Pruned(
            tuple(f"{suite}/{number}" for suite, number in old),
            tuple(str(path.relative_to(tree.root)) for path in files),
            size,
        )


def _ended(tree: Tree, suite: str, number: int, numbers: list[int]) -> float:
    """When the generation after this one took its place."""
    follower = min(later for later in numbers if later > number)
    return tree.generation(suite, follower).stat().st_mtime


def _own_size(directory: Path) -> int:
    """What goes with a directory: a file that a later generation links to stays."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.stat().st_nlink <= 2)


def _remove(tree: Tree, generations: list[tuple[str, int]], files: list[Path]) -> None:
    for suite, number in generations:
        directory = tree.generation(suite, number)
        # In one step out of sight: half a generation is none to go back to.
        gone = directory.with_name(f"{durable.UNFINISHED}{number}")
        directory.rename(gone)
        shutil.rmtree(gone)
    # The lists that name the files are gone for good before the files are.
    durable.sync({tree.generations(suite) for suite, _ in generations})
    for path in files:
        path.unlink()
    # Those too that a killed prune has emptied.
    for name, directories, _ in os.walk(tree.root / "pool", topdown=False):
        for directory in (Path(name, each) for each in directories):
            if not directory.is_symlink() and not any(directory.iterdir()):
                directory.rmdir()
