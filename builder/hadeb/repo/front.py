# SPDX-License-Identifier: Apache-2.0
"""The files beside the indexes, brought to what is in force.

They name no package file by its hash, so that it does no harm where they come a moment after
the switch; only what has changed is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.repo import durable
from hadeb.repo.contents import Contents
from hadeb.repo.generation import date_of, last_readable, valid_until
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.keys import PublicKeys
from hadeb.repo.pages import pages
from hadeb.repo.suite_view import SuiteView
from hadeb.repo.writer import Writer


def write_pages(
    writer: Writer, repository: Repository, keys: PublicKeys, known: Mapping[str, Contents]
) -> None:
    """Write what has changed; `known` are the contents of suites that need not be read again."""
    for path, content in wanted_pages(writer, repository, keys, known).items():
        if not path.is_file() or path.read_bytes() != content:
            durable.replace(path, content)


def wanted_pages(
    writer: Writer, repository: Repository, keys: PublicKeys, known: Mapping[str, Contents]
) -> dict[Path, bytes]:
    """What is to be in each page, by what is in force."""
    views = [
        view for suite in repository.suites if (view := _view(writer, suite, known.get(suite.name)))
    ]
    return {
        writer.tree.root / name: content for name, content in pages(repository, keys, views).items()
    }


def _view(writer: Writer, suite: RepoSuite, contents: Contents | None) -> SuiteView | None:
    tree = writer.tree
    try:
        generation = tree.current(suite.name)
    except HadebError as error:
        writer.say(f"{error.message}; {error.hint}")
        generation = max(tree.numbers(suite.name), default=0)
    if not generation:
        return None
    # A client follows the suite all the same: it stays on the pages while it is damaged.
    date = date_of(tree, suite, generation) or writer.now
    if contents is None:
        shown, contents = last_readable(tree, suite, generation + 1, writer.say)
        if shown != generation:
            writer.say(f"index.html shows {f'generation {shown}' if shown else 'none'} of it")
    until = valid_until(suite, date) if suite.valid_days else None
    return SuiteView(suite, contents, generation, date, until)
