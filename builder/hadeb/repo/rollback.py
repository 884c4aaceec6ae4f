# SPDX-License-Identifier: Apache-2.0
"""A suite back to what it was, under a fresh date; and the same list under a fresh signature.

To serve an old Release again does nothing: apt keeps the newer one. So a rollback is a new
generation with an old list.
"""

from __future__ import annotations

from hadeb.errors import UsageError
from hadeb.repo import pool
from hadeb.repo.contents import Contents, difference
from hadeb.repo.generation import contents_in_force, load_contents
from hadeb.repo.history import changes, origin_of
from hadeb.repo.identity import RepoSuite
from hadeb.repo.opening import open_repository
from hadeb.repo.sources import keyring_name
from hadeb.repo.transaction import Outcome, Step, conclude, sign_anew
from hadeb.repo.tree import Tree
from hadeb.repo.writer import Writer, writing


def rollback(caller: Writer, suite_name: str, generation: int | None, *, dry_run: bool) -> Outcome:
    """Put the list of an older generation in force: the last other one, where none is named."""
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        suite = repository.suite(suite_name)
        if not dry_run:
            tree.clear_unfinished(suite.name)
        now = contents_in_force(tree, suite)
        number, old = _chosen(tree, suite, now, generation, keyring_name(repository))
        pool.refuse_faults(difference(now, old).added, tree.root)
        step = Step("rollback", restores=number)
        return conclude(writer, repository, suite, now, old, step, dry_run=dry_run)


def _chosen(
    tree: Tree, suite: RepoSuite, now: Contents, generation: int | None, keyring: str
) -> tuple[int, Contents]:
    numbers = [number for number in tree.numbers(suite.name) if number < tree.current(suite.name)]
    listed = ", ".join(map(str, numbers)) or "none"
    if generation is not None:
        if generation not in numbers:
            raise UsageError(
                f"{suite.name} has no older generation {generation}",
                hint=f"those that can come back: {listed}; see hadeb repo history {suite.name}",
            )
        return generation, load_contents(tree.generation(suite.name, generation), suite)
    base = origin_of(changes(tree, suite.name), tree.current(suite.name))
    for number in reversed([number for number in numbers if number < base]):
        old = load_contents(tree.generation(suite.name, number), suite)
        # The package of keys comes along whatever list is in force, so it makes no other list.
        if difference(now.without(now.named(keyring)), old.without(old.named(keyring))):
            return number, old
    raise UsageError(
        f"{suite.name} has no older list to go back to",
        hint=f"generations that are there: {listed}; see hadeb repo history {suite.name}",
    )


def refresh(caller: Writer, suite_names: tuple[str, ...]) -> list[Outcome]:
    """Sign the lists in force anew, under a fresh date: before Valid-Until, or after a new key."""
    with writing(caller) as writer:
        repository = open_repository(writer.tree)
        chosen = [repository.suite(name) for name in suite_names] or repository.suites
        return sign_anew(writer, repository, chosen, Step("refresh"))
