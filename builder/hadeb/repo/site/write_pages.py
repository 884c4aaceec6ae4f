# SPDX-License-Identifier: Apache-2.0
"""Bring the pages at the root of a repository up to date.

They name no package file by its hash, so it does no harm that they are written a moment after the
switch. Only pages that changed are written.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from hadeb.errors import HadebError
from hadeb.files import atomic
from hadeb.repo.disk.generation import date_of, last_readable, valid_until
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.model.suite_view import SuiteView
from hadeb.repo.session.writer import Writer
from hadeb.repo.site.pages import pages


def current_pages(
    writer: Writer, repository: Repository, keys: PublicKeys, own: SuiteView | None = None
) -> dict[str, bytes]:
    """The content of each page: with `own` for its suite, and the other suites as published."""
    views = [
        own if own and suite.name == own.name else published_view(writer, suite)
        for suite in repository.suites
    ]
    return pages(repository, keys, [view for view in views if view])


def write_pages(tree: Tree, files: Mapping[str, bytes]) -> None:
    """Write the pages that changed."""
    for name, content in files.items():
        path = tree.root / name
        if not path.is_file() or path.read_bytes() != content:
            atomic.replace(path, content)


def published_view(
    writer: Writer, suite: RepoSuite, contents: Contents | None = None
) -> SuiteView | None:
    """A suite as clients get it, None before its first generation.

    `contents` is its list, if the caller knows it.
    """
    tree = writer.tree
    try:
        generation = tree.current(suite.name)
    except HadebError as error:
        writer.info(f"{error.message}; {error.hint}")
        generation = max(tree.numbers(suite.name), default=0)
    if not generation:
        return None
    # A damaged suite stays on the pages, because clients still follow it.
    date = date_of(tree, suite, generation) or writer.now
    if contents is None:
        shown, contents = last_readable(tree, suite, generation + 1, writer.info)
        if shown != generation:
            what = f"generation {shown}" if shown else "no packages"
            writer.info(f"index.html shows {what} of {suite.name}")
    return suite_view(suite, contents, generation, date)


def suite_view(
    suite: RepoSuite, contents: Contents, generation: int, date: datetime.datetime
) -> SuiteView:
    """A suite whose current generation was signed at that date."""
    until = valid_until(suite, date) if suite.valid_days else None
    return SuiteView(suite, contents, generation, date, until)
