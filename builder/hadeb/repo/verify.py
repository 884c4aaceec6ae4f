# SPDX-License-Identifier: Apache-2.0
"""Looks at a repository that change nothing: its state, and whether it is what it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.repo import pool, signing
from hadeb.repo.digest import digest
from hadeb.repo.generation import load_contents
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.indexes import index_paths
from hadeb.repo.opening import open_repository
from hadeb.repo.rehearsal import rehearse
from hadeb.repo.sources import keyring_name
from hadeb.repo.tree import Tree
from hadeb.repo.writer import Writer


def _faults(tree: Tree, repository: Repository, keyring: Path) -> Iterator[str]:
    """A sentence for each thing that is not as it was published.

    Every file of the pool is read whole, and apt has a look at each suite.
    """
    seen: set[str] = set()
    for suite in repository.suites:
        number = tree.current(suite.name)
        if not number:
            yield f"{suite.name}: nothing was published yet"
            continue
        directory = tree.generation(suite.name, number)
        try:
            contents = load_contents(directory, suite)
            signing.verify(keyring, directory, signing.count_keys(keyring))
            rehearse(directory, keyring, suite, contents, ())
        except HadebError as error:
            yield f"{suite.name}: {error}"
            continue
        yield from (f"{suite.name}: {fault}" for fault in _unlike_release(directory, suite))
        new = [one for one in contents.packages if seen.isdisjoint(f.path for f in one.files)]
        seen.update(file.path for one in new for file in one.files)
        yield from (f"{suite.name}: {fault}" for fault in pool.faults(new, tree.root))


def _unlike_release(directory: Path, suite: RepoSuite) -> Iterator[str]:
    release = (directory / "Release").read_text("utf-8").split()
    for path in ("manifest.json", *(f"{path}.gz" for path in index_paths(suite).values())):
        file = directory / path
        if file.exists() and digest(file) not in release:
            yield f"{path} is not what Release says"


def verify(writer: Writer) -> list[str]:
    """All faults of a repository, none where it is as it was published."""
    repository = open_repository(writer.tree)
    keys = writer.tree.root / f"{keyring_name(repository)}.pgp"
    with signing.keyring_file(keys.read_bytes()) as keyring:
        return list(_faults(writer.tree, repository, keyring))
