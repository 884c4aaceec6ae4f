# SPDX-License-Identifier: Apache-2.0
"""`hadeb rollback`: put an older list of a suite in force again.

Serving an old Release again has no effect, because apt keeps the newer one. So a rollback is a new
generation with an old list.
"""

from __future__ import annotations

from hadeb.errors import UsageError
from hadeb.files import atomic
from hadeb.repo.disk import pool
from hadeb.repo.disk.generation import (
    DamagedGeneration,
    contents_in_force,
    last_readable,
    load_contents,
)
from hadeb.repo.disk.history import changes, origin_of, restored_by
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.contents import Contents, difference
from hadeb.repo.model.repository import RepoSuite
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Operation, Outcome, commit


def rollback(caller: Writer, suite_name: str, generation: int | None, *, dry_run: bool) -> Outcome:
    """Put the list of an older generation in force: by default, the last different one.

    If no generation is named and the last such rollback was killed, this completes it and goes no
    further back. It also works if the current generation is damaged.
    """
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        suite = repository.suite(suite_name)
        if not dry_run:
            tree.clear_unfinished(suite.name)
        now = _current_contents(writer, suite)
        unfinished = None if generation or now is None else _interrupted(writer, suite)
        if now is not None and unfinished:
            number, old = unfinished, now
        else:
            number, old = _choose(writer, suite, now, generation, keyring_name(repository))
        pool.refuse_damage(difference(now or Contents(), old).added, tree.root)
        if not dry_run and not generation and not unfinished:
            atomic.replace(tree.rollback_mark(suite.name, tree.current(suite.name) + 1), b"")
        operation = Operation("rollback", restores=number)
        # If the current list is damaged, treat no package of the old list as new.
        before = old if now is None else now
        outcome = commit(
            writer, repository, suite, before, old, operation, force=now is None, dry_run=dry_run
        )
    if not dry_run:
        # Remove the mark last: until then, the same command again is the same rollback.
        mark = tree.rollback_mark(suite.name, outcome.generation)
        mark.unlink(missing_ok=True)
    return outcome


def _current_contents(writer: Writer, suite: RepoSuite) -> Contents | None:
    """The current list; None if it is damaged, which is reported."""
    try:
        return contents_in_force(writer.tree, suite)
    except DamagedGeneration as error:
        writer.info(error.message)
        return None


def _interrupted(writer: Writer, suite: RepoSuite) -> int | None:
    """The generation that a rollback restored before it was killed."""
    tree = writer.tree
    current = tree.current(suite.name)
    if not tree.rollback_mark(suite.name, current).exists():
        return None
    restored = restored_by(changes(tree, suite.name), current)
    if restored:
        writer.info(f"a rollback of {suite.name} to generation {restored} was killed; finishing it")
    return restored


def _choose(
    writer: Writer, suite: RepoSuite, now: Contents | None, generation: int | None, keyring: str
) -> tuple[int, Contents]:
    tree = writer.tree
    current = tree.current(suite.name)
    numbers = [number for number in tree.numbers(suite.name) if number < current]
    listed = ", ".join(map(str, numbers)) or "none"
    if generation is not None:
        if generation not in numbers:
            raise UsageError(
                f"{suite.name} has no older generation {generation}",
                hint=f"you can go back to: {listed}; see hadeb repo history {suite.name}",
            )
        return generation, load_contents(tree.generation(suite.name, generation), suite)
    base = origin_of(changes(tree, suite.name), current)
    # If it is damaged, the generation that it restored may still have the list.
    below = base if now is not None or base == current else base + 1
    while True:
        below, old = last_readable(tree, suite, below, writer.info)
        if not below:
            break
        # Every list gets the keyring package, so that does not make it different.
        if now is None or difference(
            now.without(now.named(keyring)), old.without(old.named(keyring))
        ):
            return below, old
    raise UsageError(
        f"{suite.name} has no older list to go back to",
        hint=f"existing generations: {listed}; see hadeb repo history {suite.name}",
    )
