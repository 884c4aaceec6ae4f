# SPDX-License-Identifier: Apache-2.0
"""`hadeb prune`: remove old generations, and files of the pool that no list names."""

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

# Seconds that a superseded generation stays at least: clients still download what it names.
_GRACE = 3600


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was or would be removed: generations as SUITE/N, and paths. `size` is in bytes."""

    generations: tuple[str, ...]
    files: tuple[str, ...]
    size: int


def prune(caller: Writer, keep: int, *, dry_run: bool) -> Pruned:
    """Remove all but the last `keep` generations of each suite, then files that no list names.

    A file in the pool that is not hadeb's stays.
    """
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        plan = _Plan(own=ownership.owned(tree))
        # This includes suites that never got a first generation.
        for made in () if dry_run else tree.dists.glob(".generations/*/"):
            tree.clear_unfinished(made.name)
        for suite in repository.suites:
            _examine(writer, suite, max(keep, 1), plan)
        if plan.whole:
            gone = plan.own - plan.wanted
        else:
            gone = set()
            writer.info(
                "no package is removed: hadeb cannot tell which the damaged generation names"
            )
        files = [
            path
            for path in pool.paths(tree.root)
            if str(path.relative_to(tree.root)) in gone or path.name.startswith(atomic.UNFINISHED)
        ]
        size = sum(path.stat().st_size for path in files)
        size += sum(_own_size(tree.generation(*each)) for each in plan.old)
        if not dry_run:
            _remove(tree, plan, files)
        return Pruned(
            tuple(f"{suite}/{number}" for suite, number in plan.old),
            tuple(str(path.relative_to(tree.root)) for path in files),
            size,
        )


@dataclass(slots=True)
class _Plan:
    """What to remove. `own` are the files that hadeb put into the pool, `wanted` those that the
    remaining lists name; `whole` is false if one of these lists cannot be read.
    """

    own: set[str]
    wanted: set[str] = field(default_factory=set)
    old: list[tuple[str, int]] = field(default_factory=list)
    whole: bool = True


def _examine(writer: Writer, suite: RepoSuite, keep: int, plan: _Plan) -> None:
    tree = writer.tree
    numbers = tree.numbers(suite.name)
    for number in numbers:
        last = number in numbers[-keep:]
        unused = number != numbers[-1] and _unused(writer, suite.name, number, numbers)
        try:
            contents = load_contents(tree.generation(suite.name, number), suite)
        except DamagedGeneration as error:
            # No rollback can use it.
            last = False
            files = set[str]()
            plan.whole &= unused
            writer.info(error.message)
        else:
            files = {file.path for package in contents.packages for file in package.files}
        plan.own |= files
        if last or not unused:
            plan.wanted |= files
        else:
            plan.old.append((suite.name, number))


def _unused(writer: Writer, suite: str, number: int, numbers: list[int]) -> bool:
    """Whether it was superseded so long ago that no client reads it."""
    return writer.now.timestamp() - _ended(writer.tree, suite, number, numbers) > _GRACE


def _ended(tree: Tree, suite: str, number: int, numbers: list[int]) -> float:
    """When the next generation superseded this one."""
    follower = min(later for later in numbers if later > number)
    return tree.generation(suite, follower).stat().st_mtime


def _own_size(directory: Path) -> int:
    """The bytes that removing a directory frees: files linked from later generations stay."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.stat().st_nlink <= 2)


def _remove(tree: Tree, plan: _Plan, files: list[Path]) -> None:
    # Once the generations are gone, no other record tells that these files are hadeb's.
    gone = {str(path.relative_to(tree.root)) for path in files}
    ownership.replace(tree, (plan.own - plan.wanted) | gone)
    for suite, number in plan.old:
        directory = tree.generation(suite, number)
        # Rename it first: nobody can go back to half a generation.
        hidden = directory.with_name(f"{atomic.UNFINISHED}{number}")
        directory.rename(hidden)
        shutil.rmtree(hidden)
    # Make sure that the lists are gone from the disk before the files they name.
    atomic.sync({tree.generations(suite) for suite, _ in plan.old})
    for path in files:
        path.unlink()
    # This includes directories that a killed prune emptied.
    for name, directories, _ in os.walk(tree.root / "pool", topdown=False):
        for directory in (Path(name, each) for each in directories):
            if not directory.is_symlink() and not any(directory.iterdir()):
                directory.rmdir()
    if plan.whole:
        ownership.replace(tree, ())
