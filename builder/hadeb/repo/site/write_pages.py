# SPDX-License-Identifier: Apache-2.0
"""The files beside the indexes, brought to what is in force.

They name no package file by its hash, so that it does no harm where they come a moment after
the switch; only what has changed is written.
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
    """What each page is to hold: one suite as it is given, the others as they are in force."""
    views = [
        own if own and suite.name == own.name else published_view(writer, suite)
        for suite in repository.suites
    ]
    return pages(repository, keys, [view for view in views if view])


def write_pages(tree: Tree, files: Mapping[str, bytes]) -> None:
    """Write what has changed."""
    for name, content in files.items():
        path = tree.root / name
        if not path.is_file() or path.read_bytes() != content:
            atomic.replace(path, content)


def published_view(
    writer: Writer, suite: RepoSuite, contents: Contents | None = None
) -> SuiteView | None:
    """A suite as clients get it, None before its first generation; its list, if that is known."""
    tree = writer.tree
    try:
        generation = tree.current(suite.name)
    except HadebError as error:
        writer.info(f"{error.message}; {error.hint}")
        generation = max(tree.numbers(suite.name), default=0)
    if not generation:
        return None
    # A client follows the suite all the same: it stays on the pages while it is damaged.
    date = date_of(tree, suite, generation) or writer.now
    if contents is None:
        shown, contents = last_readable(tree, suite, generation + 1, writer.info)
        if shown != generation:
            writer.info(f"index.html shows {f'generation {shown}' if shown else 'none'} of it")
    return suite_view(suite, contents, generation, date)


def suite_view(
    suite: RepoSuite, contents: Contents, generation: int, date: datetime.datetime
) -> SuiteView:
    """A suite with a generation in force that was signed at that date."""
    until = valid_until(suite, date) if suite.valid_days else None
    return SuiteView(suite, contents, generation, date, until)
