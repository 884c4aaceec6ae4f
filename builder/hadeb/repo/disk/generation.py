# SPDX-License-Identifier: Apache-2.0
"""Read the generations of a suite: contents and date."""

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
    """A generation that is damaged."""


def load_contents(directory: Path, suite: RepoSuite) -> Contents:
    """Read the list of a generation; DamagedGeneration if that fails."""
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
            hint=f"hadeb rollback {suite.name} puts the last readable list in force again",
        ) from error


def contents_in_force(tree: Tree, suite: RepoSuite) -> Contents:
    """The list that clients get; empty if the suite has no generation yet."""
    number = tree.current(suite.name)
    return load_contents(tree.generation(suite.name, number), suite) if number else Contents()


def date_of(tree: Tree, suite: RepoSuite, number: int) -> datetime.datetime | None:
    """The date of a generation, in UTC; None if none can be read."""
    directory = tree.generation(suite.name, number)
    # If manifest.json is damaged, Release may still be readable.
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
        raise ValueError(f"{text!r} has no time zone")
    return date


def last_readable(
    tree: Tree, suite: RepoSuite, below: int, info: Callable[[str], None]
) -> tuple[int, Contents]:
    """The newest readable generation below a number, and its list; 0 and empty if there is none.

    Damaged generations are reported through `info`.
    """
    for number in reversed([number for number in tree.numbers(suite.name) if number < below]):
        try:
            return number, load_contents(tree.generation(suite.name, number), suite)
        except DamagedGeneration as error:
            info(error.message)
    return 0, Contents()


def valid_until(suite: RepoSuite, date: datetime.datetime) -> datetime.datetime:
    """When a signature of that date ends."""
    return date + datetime.timedelta(days=suite.valid_days)
