# SPDX-License-Identifier: Apache-2.0
"""Generations on disk: how one is laid out, signed and tried, and what one holds."""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Callable
from pathlib import Path

from hadeb.debian.dates import read_rfc5322
from hadeb.errors import HadebError
from hadeb.repo.disk.indexes import MANIFEST, index_paths, read_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.repository import RepoSuite


class DamagedGeneration(HadebError):
    """A generation that is not whole any more."""


def load_contents(directory: Path, suite: RepoSuite) -> Contents:
    """What a generation holds; DamagedGeneration where that cannot be read."""
    try:
        text = (directory / MANIFEST).read_text("utf-8", "surrogateescape")
        indexes = {
            key: zlib.decompress((directory / f"{path}.gz").read_bytes(), wbits=31).decode(
                "utf-8", "surrogateescape"
            )
            for key, path in index_paths(suite).items()
            if (directory / f"{path}.gz").exists()
        }
        return read_contents(text, indexes)
    except (OSError, zlib.error, HadebError) as error:
        raise DamagedGeneration(
            f"generation {directory.name} of {suite.name} cannot be read: {error}",
            hint=f"hadeb rollback {suite.name} puts the last list that can be read in force again",
        ) from error


def contents_in_force(tree: Tree, suite: RepoSuite) -> Contents:
    """What clients get of a suite; nothing where it has no generation yet."""
    number = tree.current(suite.name)
    return load_contents(tree.generation(suite.name, number), suite) if number else Contents()


def date_of(tree: Tree, suite: RepoSuite, number: int) -> datetime.datetime | None:
    """The date of a generation, in UTC; None where it has none."""
    directory = tree.generation(suite.name, number)
    # Where the first is damaged, the other may be whole.
    for file, begin, read in (
        (MANIFEST, ' "date": "', _iso8601),
        ("Release", "Date: ", read_rfc5322),
    ):
        try:
            with (directory / file).open(encoding="utf-8", errors="surrogateescape") as stream:
                for line in stream:
                    if line.startswith(begin):
                        return read(line.removeprefix(begin))
        except (OSError, ValueError):
            continue
    return None


def _iso8601(text: str) -> datetime.datetime:
    date = datetime.datetime.fromisoformat(text.partition('"')[0])
    if date.tzinfo is None:
        raise ValueError(f"{text!r} is in no time zone")
    return date


def last_readable(
    tree: Tree, suite: RepoSuite, below: int, info: Callable[[str], None]
) -> tuple[int, Contents]:
    """The newest generation that is whole, of those below a number. Says which are not.

    0 and nothing where there is none.
    """
    for number in reversed([number for number in tree.numbers(suite.name) if number < below]):
        try:
            return number, load_contents(tree.generation(suite.name, number), suite)
        except DamagedGeneration as error:
            info(error.message)
    return 0, Contents()


def valid_until(suite: RepoSuite, date: datetime.datetime) -> datetime.datetime:
    """When a signature of that date runs out."""
    return date + datetime.timedelta(days=suite.valid_days)
