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
    """The directory of a repository, as the user names it, relative to `base`.

    Raises UsageError if no repository can be there.
    """
    if scheme := _SCHEME.match(where):
        raise UsageError(
            f"--repo {where}: hadeb cannot publish to {scheme[0]}",
            hint="name a directory, and let a web server serve it or a copy of it",
        )
    root = base / where
    for above in (root, *root.parents):
        if above.is_dir():
            break
        if above.exists() or above.is_symlink():
            raise UsageError(
                f"--repo {where}: {above} exists and is not a directory",
                hint="name another directory with --repo, or move it away",
            )
    return Tree(root)


def open_repository(tree: Tree) -> Repository:
    """Read the repository in a directory; UsageError if there is none."""
    repository = find_repository(tree)
    if repository is None:
        raise UsageError(
            f"there is no repository in {tree.root}", hint="hadeb publish --repo DIR creates one"
        )
    return repository


def find_repository(tree: Tree) -> Repository | None:
    """Read the repository in a directory with its published suites; None if there is none.

    A suite without a generation is a leftover of a killed command.
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
            hint="restore it from a copy of the repository",
        ) from error
    return read_repository(text, str(tree.repository))


def save_repository(tree: Tree, repository: Repository) -> None:
    """Write repository.json if it changed."""
    if _read_file(tree) != repository:
        atomic.replace(tree.repository, repository.write().encode())
