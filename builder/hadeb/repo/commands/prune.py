# SPDX-License-Identifier: Apache-2.0
"""What nobody needs any more: generations that no rollback wants, files that no list names."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from hadeb.files import atomic
from hadeb.repo.disk import ownership, pool
from hadeb.repo.disk.generation import DamagedGeneration, load_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.repository import RepoSuite
from hadeb.repo.session.writer import Writer, writing

# Seconds that a generation stays at least: clients that read it download what it names.
_GRACE = 3600


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go: generations as SUITE/N, and paths of the pool. `size` in bytes."""

    generations: tuple[str, ...]
    files: tuple[str, ...]
    size: int


def prune(caller: Writer, keep: int, *, dry_run: bool) -> Pruned:
    """Remove all but the last `keep` generations of each suite, then what no list names.

    A file that hadeb has not put into the pool stays.
    """
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        found = _Found(own=ownership.owned(tree))
        # Of suites that never came to be, too.
        for made in () if dry_run else tree.dists.glob(".generations/*/"):
            tree.clear_unfinished(made.name)
        for suite in repository.suites:
            _look(writer, suite, max(keep, 1), found)
        if found.whole:
            gone = found.own - found.wanted
        else:
            gone = set()
            writer.info("no package goes before that: what it names is not known")
        files = [
            path
            for path in pool.paths(tree.root)
            if str(path.relative_to(tree.root)) in gone or path.name.startswith(atomic.UNFINISHED)
        ]
        size = sum(path.stat().st_size for path in files)
        size += sum(_own_size(tree.generation(*each)) for each in found.old)
        if not dry_run:
            _remove(tree, found, files)
        return Pruned(
            tuple(f"{suite}/{number}" for suite, number in found.old),
            tuple(str(path.relative_to(tree.root)) for path in files),
            size,
        )


@dataclass(slots=True)
class _Found:
    """What `prune` finds. `own` are the files that hadeb has put into the pool, `wanted` those
    that lists name which stay; `whole` where each of these can be read.
    """

    own: set[str]
    wanted: set[str] = field(default_factory=set)
    old: list[tuple[str, int]] = field(default_factory=list)
    whole: bool = True


def _look(writer: Writer, suite: RepoSuite, keep: int, found: _Found) -> None:
    tree = writer.tree
    numbers = tree.numbers(suite.name)
    for number in numbers:
        last = number in numbers[-keep:]
        unused = number != numbers[-1] and _unused(writer, suite.name, number, numbers)
        try:
            contents = load_contents(tree.generation(suite.name, number), suite)
        except DamagedGeneration as error:
            # Nobody can go back to it.
            last = False
            files = set[str]()
            found.whole &= unused
            writer.info(error.message)
        else:
            files = {file.path for package in contents.packages for file in package.files}
        found.own |= files
        if last or not unused:
            found.wanted |= files
        else:
            found.old.append((suite.name, number))


def _unused(writer: Writer, suite: str, number: int, numbers: list[int]) -> bool:
    """Whether no client reads it any more."""
    return writer.now.timestamp() - _ended(writer.tree, suite, number, numbers) > _GRACE


def _ended(tree: Tree, suite: str, number: int, numbers: list[int]) -> float:
    """When the generation after this one took its place."""
    follower = min(later for later in numbers if later > number)
    return tree.generation(suite, follower).stat().st_mtime


def _own_size(directory: Path) -> int:
    """What goes with a directory: a file that a later generation links to stays."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.stat().st_nlink <= 2)


def _remove(tree: Tree, found: _Found, files: list[Path]) -> None:
    # Once their generations are gone, nothing else tells whose these are.
    gone = {str(path.relative_to(tree.root)) for path in files}
    ownership.replace(tree, (found.own - found.wanted) | gone)
    for suite, number in found.old:
        directory = tree.generation(suite, number)
        # In one step out of sight: half a generation is none to go back to.
        hidden = directory.with_name(f"{atomic.UNFINISHED}{number}")
        directory.rename(hidden)
        shutil.rmtree(hidden)
    # The lists that name the files are gone for good before the files are.
    atomic.sync({tree.generations(suite) for suite, _ in found.old})
    for path in files:
        path.unlink()
    # Those too that a killed prune has emptied.
    for name, directories, _ in os.walk(tree.root / "pool", topdown=False):
        for directory in (Path(name, each) for each in directories):
            if not directory.is_symlink() and not any(directory.iterdir()):
                directory.rmdir()
    if found.whole:
        ownership.replace(tree, ())
