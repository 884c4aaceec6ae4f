# SPDX-License-Identifier: Apache-2.0
"""The files beside the indexes, brought to what is in force.

They name no package file by its hash, so that it does no harm where they come a moment after
the switch; only what has changed is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from hadeb.repo import durable
from hadeb.repo.contents import Contents
from hadeb.repo.generation import contents_in_force, date_of, valid_until
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.keys import PublicKeys
from hadeb.repo.pages import pages
from hadeb.repo.suite_view import SuiteView
from hadeb.repo.tree import Tree


def drawn(tree: Tree, repository: Repository, keys: PublicKeys, own: SuiteView) -> dict[str, bytes]:
    """The pages with one suite as it is given, and the others as they are in force."""
    views = [
        own if suite.name == own.name else view_in_force(tree, suite) for suite in repository.suites
    ]
    return pages(repository, keys, [view for view in views if view])


def write_pages(tree: Tree, files: Mapping[str, bytes]) -> None:
    """Write what has changed."""
    for name, content in files.items():
        path = tree.root / name
        if not path.is_file() or path.read_bytes() != content:
            durable.replace(path, content)


def view_in_force(
    tree: Tree, suite: RepoSuite, contents: Contents | None = None
) -> SuiteView | None:
    """A suite as clients get it, None before its first generation; its list, if that is known."""
    date = date_of(tree, suite)
    if date is None:
        return None
    if contents is None:
        contents = contents_in_force(tree, suite)
    return view(suite, contents, tree.current(suite.name), date)


def view(
    suite: RepoSuite, contents: Contents, generation: int, date: datetime.datetime
) -> SuiteView:
    """A suite with a generation in force that was signed at that date."""
    until = valid_until(suite, date) if suite.valid_days else None
    return SuiteView(suite, contents, generation, date, until)
