# SPDX-License-Identifier: Apache-2.0
"""The files beside the indexes, brought to what is in force.

They name no package file by its hash, so that it does no harm where they come a moment after
the switch; only what has changed is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from hadeb.repo import durable
from hadeb.repo.contents import Contents
from hadeb.repo.generation import contents_in_force, date_of, valid_until
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.keys import PublicKeys
from hadeb.repo.pages import pages
from hadeb.repo.suite_view import SuiteView
from hadeb.repo.tree import Tree


def write_pages(
    tree: Tree, repository: Repository, keys: PublicKeys, known: Mapping[str, Contents]
) -> None:
    """Write what has changed; `known` are the contents of suites that need not be read again."""
    views = [
        view for suite in repository.suites if (view := _view(tree, suite, known.get(suite.name)))
    ]
    for name, content in pages(repository, keys, views).items():
        path = tree.root / name
        if not path.is_file() or path.read_bytes() != content:
            durable.replace(path, content)


def _view(tree: Tree, suite: RepoSuite, contents: Contents | None) -> SuiteView | None:
    date = date_of(tree, suite)
    if date is None:
        return None
    if contents is None:
        contents = contents_in_force(tree, suite)
    until = valid_until(suite, date) if suite.valid_days else None
    return SuiteView(suite, contents, tree.current(suite.name), date, until)
