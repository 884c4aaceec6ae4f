# SPDX-License-Identifier: Apache-2.0
"""repository.json: find the repository in a directory, read it, and save it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from hadeb.errors import HadebError, UsageError
from hadeb.files import atomic
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.repository import Repository, read_repository

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")


def repository_at(where: str, base: Path) -> Tree:
    """Where a repository is, or is to be: a directory, as a user names it, seen from `base`.

    The one place that knows what else could be named. Raises UsageError where it cannot be there.
    """
    if scheme := _SCHEME.match(where):
        raise UsageError(
            f"--repo {where}: hadeb publishes to no {scheme[0]}",
            hint="name a directory; a copy of it is what others serve",
        )
    root = base / where
    for above in (root, *root.parents):
        if above.is_dir():
            break
        if above.exists() or above.is_symlink():
            raise UsageError(
                f"--repo {where}: {above} is there, and no directory",
                hint="name another directory with --repo, or move that away",
            )
    return Tree(root)


def open_repository(tree: Tree) -> Repository:
    """The repository in a directory; UsageError where there is none."""
    found = find_repository(tree)
    if found is None:
        raise UsageError(
            f"there is no repository in {tree.root}", hint="hadeb publish --repo DIR makes one"
        )
    return found


def find_repository(tree: Tree) -> Repository | None:
    """The repository in a directory, with the suites that were published; None where there is none.

    A suite without a generation is left of a command that was killed.
    """
    known = _read_file(tree)
    if known is None:
        return None
    suites = tuple(suite for suite in known.suites if tree.numbers(suite.name))
    return dataclasses.replace(known, suites=suites)


def _read_file(tree: Tree) -> Repository | None:
    try:
        text = tree.repository.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise HadebError(
            f"{tree.repository} is damaged: {error}",
            hint="put it back from a copy of the repository",
        ) from error
    return read_repository(text, str(tree.repository))


def save_repository(tree: Tree, repository: Repository) -> None:
    """Write what the repository is; only where it has changed."""
    if _read_file(tree) != repository:
        atomic.replace(tree.repository, repository.write().encode())
