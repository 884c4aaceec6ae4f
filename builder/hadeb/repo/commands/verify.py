# SPDX-License-Identifier: Apache-2.0
"""Whether a repository is as it was published, down to every byte of the pool and of the pages.

A keyring that lies beside what it signed proves nothing by itself: its keys are held against the
fingerprints that the caller knows, or else against those that were recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError, ToolMissing, UsageError
from hadeb.files.digest import digest
from hadeb.repo.apt.trial import apt_trial
from hadeb.repo.disk import pool
from hadeb.repo.disk.generation import load_contents
from hadeb.repo.disk.indexes import index_paths, indexes_of, misfits
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.keyring.add_to_suite import is_recorded
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.signing.keychain import keyring_file, read_keys
from hadeb.repo.signing.verify_signatures import verify_signatures
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.site.write_pages import current_pages

_MENDED = "hadeb repo refresh writes it anew"


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong, and which fingerprints were trusted; `pinned` are those of the caller."""

    faults: tuple[str, ...]
    trusted: tuple[str, ...]
    pinned: bool


def verify(writer: Writer, fingerprints: Sequence[str] = ()) -> Verified:
    """All faults of a repository, none where it is as it was published by these keys.

    Without fingerprints those are trusted that the repository's own record names. UsageError where
    one is no whole fingerprint, ToolMissing where a verifier is missing.
    """
    repository = open_repository(writer.tree)
    wanted = tuple(_fingerprint(package) for package in fingerprints) or repository.keys
    found = (*writer.differences, *_faults(writer, repository, wanted))
    return Verified(found, wanted, bool(fingerprints))


def _fingerprint(text: str) -> str:
    found = "".join(text.split()).removeprefix("0x").upper()
    if len(found) != 40 or not set(found) <= set("0123456789ABCDEF"):
        raise UsageError(
            f"{text!r} is no fingerprint: 40 hexadecimal digits",
            hint="gpg --list-keys --with-fingerprint shows those of the keys that you know",
        )
    return found


def _faults(writer: Writer, repository: Repository, trusted: Sequence[str]) -> Iterator[str]:
    """A sentence for each thing that is not as it was published."""
    tree = writer.tree
    if {*repository.keys} != {*trusted}:
        yield f"{tree.repository} has other keys sign: {', '.join(repository.keys)}"
    file = tree.root / f"{keyring_name(repository)}.pgp"
    try:
        keys = _trusted_keys(file, repository, trusted)
    except ToolMissing:
        raise
    except (OSError, HadebError) as error:
        what = "it is missing" if isinstance(error, FileNotFoundError) else error
        yield f"{file.name}: {what}; so no signature was looked at. {_MENDED}"
        keys = PublicKeys(b"", ())
    seen: set[str] = set()
    with keyring_file(keys.binary) as keyring:
        for suite in repository.suites:
            signed = (keyring, len(keys.keys)) if keys.keys else None
            yield from _naming(suite, _of_suite(tree, suite, signed, seen))
    if keys.keys:
        try:
            yield from _of_pages(writer, repository, keys)
        except ToolMissing:
            raise
        except HadebError as error:
            yield f"the pages: {error}"


def _trusted_keys(file: Path, repository: Repository, trusted: Sequence[str]) -> PublicKeys:
    """The keyring that clients get; HadebError where it has other keys."""
    keys = read_keys(file.read_bytes())
    there = [key.fingerprint for key in keys.keys]
    # One that has ended stays on record, and clients no longer get it.
    ended = repository.keys if is_recorded(repository, keys) else ()
    lacking = [key for key in trusted if key not in there and key not in ended]
    faults = [
        *(f"its key {key} is not trusted" for key in there if key not in trusted),
        *(f"it lacks the key {key}" for key in lacking),
    ]
    if faults:
        raise HadebError(", ".join(faults))
    return keys


def _naming(suite: RepoSuite, faults: Iterator[str]) -> Iterator[str]:
    """The faults of a suite, up to what makes it senseless to look further."""
    try:
        yield from (f"{suite.name}: {fault}" for fault in faults)
    except ToolMissing:
        raise
    except (OSError, HadebError) as error:
        yield f"{suite.name}: {error}"


def _of_suite(
    tree: Tree, suite: RepoSuite, signed: tuple[Path, int] | None, seen: set[str]
) -> Iterator[str]:
    """Every file of the pool is read whole, once, and apt has a look."""
    number = tree.current(suite.name)
    if not number:
        yield "nothing was published yet"
        return
    if not (tree.dists / suite.name).is_symlink():
        yield f"no link leads to generation {number}; the next change of the suite makes it again"
    yield from _of_older(tree, suite, number)
    directory = tree.generation(suite.name, number)
    contents = load_contents(directory, suite)
    if signed:
        keyring, count = signed
        verify_signatures(keyring, directory, count)
        with apt_trial(directory, keyring, suite, contents, ()) as trial:
            trial.install(indexes_of(suite, contents))
            trial.update()
    yield from _unlike_release(directory, suite)
    yield from misfits(contents)
    new = [
        package for package in contents.packages if seen.isdisjoint(f.path for f in package.files)
    ]
    seen.update(file.path for package in new for file in package.files)
    yield from pool.faults(new, tree.root)


def _of_older(tree: Tree, suite: RepoSuite, current: int) -> Iterator[str]:
    """Those that a rollback may go back to, and cannot."""
    for number in tree.numbers(suite.name):
        if number < current:
            try:
                load_contents(tree.generation(suite.name, number), suite)
            except HadebError as error:
                yield error.message


def _unlike_release(directory: Path, suite: RepoSuite) -> Iterator[str]:
    release = (directory / "Release").read_text("utf-8").split()
    for path in ("manifest.json", *(f"{path}.gz" for path in index_paths(suite).values())):
        file = directory / path
        if file.exists() and digest(file) not in release:
            yield f"{path} is not what Release says"


def _of_pages(writer: Writer, repository: Repository, keys: PublicKeys) -> Iterator[str]:
    """What is not as hadeb writes it for what is in force."""
    # What it would say of a damaged generation is said already.
    writer = dataclasses.replace(writer, info=lambda _: None)
    found = _other_pages(writer, repository, keys)
    if found:
        try:
            # Maybe somebody is between the switch and the pages: these are whole when they end.
            with writing(writer):
                found = _other_pages(writer, open_repository(writer.tree), keys)
        except OSError:
            # Nobody waits for a lock that they may not have.
            pass
    for path in found:
        what = "is not as hadeb writes it" if path.is_file() else "is missing"
        yield f"{path.name} {what}: {_MENDED}"


def _other_pages(writer: Writer, repository: Repository, keys: PublicKeys) -> list[Path]:
    return [
        writer.tree.root / name
        for name, content in current_pages(writer, repository, keys).items()
        if not (path := writer.tree.root / name).is_file() or path.read_bytes() != content
    ]
