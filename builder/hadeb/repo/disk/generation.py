# SPDX-License-Identifier: Apache-2.0
"""Generations on disk: how one is laid out, signed and tried, and what one holds."""

from __future__ import annotations

import datetime
import hashlib
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.dates import read_rfc5322, rfc5322
from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.repo.apt.ftparchive import ftparchive
from hadeb.repo.disk.indexes import MANIFEST, index_paths, manifest, read_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.repository import Repository, RepoSuite

# Of Debian's own indexes, level 6 takes a third more time for a hundredth of the size.
_LEVEL = 5
# How long a client may take between InRelease and the last index, and how many generations that is
# at least.
_KEPT_SECONDS = 3600
_KEPT_GENERATIONS = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """What a generation says of itself. `date` is to the second, in UTC."""

    number: int
    date: datetime.datetime


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


def lay_out(
    directory: Path,
    repository: Repository,
    suite: RepoSuite,
    contents: Contents,
    indexes: Mapping[tuple[str, str], bytes],
    heading: Heading,
) -> None:
    """Write a generation's files, all but the signatures, into an empty directory.

    `indexes` are those of the contents, by component and architecture.
    """
    said = {
        "repository": repository.name,
        "origin": repository.origin,
        "suite": suite.name,
        "codename": suite.codename,
        "generation": heading.number,
        "date": f"{heading.date:%Y-%m-%dT%H:%M:%SZ}",
    }
    plain = []
    with ThreadPoolExecutor() as threads:
        packed = []
        for key, path in index_paths(suite).items():
            content = indexes[key]
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            # zlib lets others run meanwhile, and takes longer than all the rest.
            packed.append(threads.submit(_write_compressed, directory / f"{path}.gz", content))
            (directory / path).write_bytes(content)
            plain.append(directory / path)
        (directory / MANIFEST).write_bytes(manifest(contents, said))
        for each in packed:
            each.result()
    (directory / "Release").write_text(
        _release(directory, repository, suite, heading), encoding="utf-8"
    )
    # Release names them, and no client takes the longer way.
    for file in plain:
        file.unlink()


def _write_compressed(path: Path, content: bytes) -> None:
    compressor = zlib.compressobj(_LEVEL, wbits=31)
    packed = compressor.compress(content) + compressor.flush()
    path.write_bytes(packed)
    by_hash = path.parent / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True, exist_ok=True)
    (by_hash / hashlib.sha256(packed).hexdigest()).hardlink_to(path)


def _release(directory: Path, repository: Repository, suite: RepoSuite, heading: Heading) -> str:
    """Release by apt-ftparchive(1)."""
    fields = {
        "Origin": repository.origin,
        "Label": repository.label,
        "Suite": suite.name,
        "Codename": suite.codename,
        "Date": rfc5322(heading.date),
        "Architectures": " ".join(suite.architectures),
        "Components": " ".join(suite.components),
        "Description": f"{repository.origin}, {suite.name}",
        "Acquire-By-Hash": "yes",
        "Patterns::": MANIFEST,
    }
    if suite.valid_days:
        # It writes the date only where it is told a time, too, from which it would count today.
        fields["ValidTime"] = str(suite.valid_days * 86400)
        fields["Valid-Until"] = rfc5322(valid_until(suite, heading.date))
    settings = {f"Release::{name}": value for name, value in fields.items()}
    return ftparchive("release", directory, settings)


def valid_until(suite: RepoSuite, date: datetime.datetime) -> datetime.datetime:
    """When a signature of that date runs out."""
    return date + datetime.timedelta(days=suite.valid_days)


def keep_old_indexes(tree: Tree, suite: RepoSuite, directory: Path, now: float) -> None:
    """Link in by hash what clients may still ask for, who read an InRelease before the switch."""
    ended = now
    for distance, number in enumerate(reversed(tree.numbers(suite.name)), start=1):
        # What counts is how long ago it was in force: that is until its follower was made.
        if distance > _KEPT_GENERATIONS and now - ended > _KEPT_SECONDS:
            break
        old = tree.generation(suite.name, number)
        for path in index_paths(suite).values():
            _keep(old / f"{path}.gz", directory / f"{path}.gz")
        ended = old.stat().st_mtime


def _keep(old: Path, new: Path) -> None:
    if not old.exists():
        return
    kept = new.parent / "by-hash" / "SHA256" / digest(old)
    if not kept.exists():
        kept.hardlink_to(old)
