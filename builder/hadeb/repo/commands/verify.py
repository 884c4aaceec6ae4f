# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo verify`: check that a repository is as it was published, down to every byte.

A keyring in the repository that it signs proves nothing by itself. Its keys are compared with the
fingerprints that the caller knows, or else with the recorded ones.
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

_REMEDY = "hadeb repo refresh writes it again"


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong, and which fingerprints were trusted; `pinned` if the caller named them."""

    problems: tuple[str, ...]
    trusted: tuple[str, ...]
    pinned: bool


def verify(writer: Writer, fingerprints: Sequence[str] = ()) -> Verified:
    """Everything that is not as these keys published it.

    Without fingerprints, the keys in the repository's own record are trusted. Raises UsageError if
    one is not a full fingerprint, ToolMissing if a verifier is missing.
    """
    repository = open_repository(writer.tree)
    wanted = tuple(_fingerprint(text) for text in fingerprints) or repository.keys
    problems = (*writer.differences, *_problems(writer, repository, wanted))
    return Verified(problems, wanted, bool(fingerprints))


def _fingerprint(text: str) -> str:
    fingerprint = "".join(text.split()).removeprefix("0x").upper()
    if len(fingerprint) != 40 or not set(fingerprint) <= set("0123456789ABCDEF"):
        raise UsageError(
            f"{text!r} is not a fingerprint of 40 hexadecimal digits",
            hint="gpg --list-keys --with-fingerprint shows the fingerprints of your keys",
        )
    return fingerprint


def _problems(writer: Writer, repository: Repository, trusted: Sequence[str]) -> Iterator[str]:
    """A sentence for everything that is not as it was published."""
    tree = writer.tree
    if {*repository.keys} != {*trusted}:
        yield f"{tree.repository} records other keys: {', '.join(repository.keys)}"
    file = tree.root / f"{keyring_name(repository)}.pgp"
    try:
        keys = _trusted_keys(file, repository, trusted)
    except ToolMissing:
        raise
    except (OSError, HadebError) as error:
        what = "it is missing" if isinstance(error, FileNotFoundError) else error
        yield f"{file.name}: {what}; so no signature was checked. {_REMEDY}"
        keys = PublicKeys(b"", ())
    seen: set[str] = set()
    with keyring_file(keys.binary) as keyring:
        for suite in repository.suites:
            signed = (keyring, len(keys.keys)) if keys.keys else None
            yield from _with_suite_name(suite, _suite_problems(tree, suite, signed, seen))
    if keys.keys:
        try:
            yield from _page_problems(writer, repository, keys)
        except ToolMissing:
            raise
        except HadebError as error:
            yield f"the pages: {error}"


def _trusted_keys(file: Path, repository: Repository, trusted: Sequence[str]) -> PublicKeys:
    """The keyring that clients get; HadebError if its keys are not the trusted ones."""
    keys = read_keys(file.read_bytes())
    present = [key.fingerprint for key in keys.keys]
    # An expired key stays recorded, but clients no longer get it.
    expired = repository.keys if is_recorded(repository, keys) else ()
    missing = [key for key in trusted if key not in present and key not in expired]
    problems = [
        *(f"its key {key} is not trusted" for key in present if key not in trusted),
        *(f"it lacks the key {key}" for key in missing),
    ]
    if problems:
        raise HadebError(", ".join(problems))
    return keys


def _with_suite_name(suite: RepoSuite, problems: Iterator[str]) -> Iterator[str]:
    """The problems of a suite, up to one that makes further checks pointless."""
    try:
        yield from (f"{suite.name}: {problem}" for problem in problems)
    except ToolMissing:
        raise
    except (OSError, HadebError) as error:
        yield f"{suite.name}: {error}"


def _suite_problems(
    tree: Tree, suite: RepoSuite, signed: tuple[Path, int] | None, seen: set[str]
) -> Iterator[str]:
    """Read every file of the suite once, verify its signatures, and try it with apt."""
    number = tree.current(suite.name)
    if not number:
        yield "nothing was published yet"
        return
    if not (tree.dists / suite.name).is_symlink():
        yield f"no link points to generation {number}; the next change of the suite creates it"
    yield from _older_problems(tree, suite, number)
    directory = tree.generation(suite.name, number)
    contents = load_contents(directory, suite)
    if signed:
        keyring, count = signed
        verify_signatures(keyring, directory, count)
        with apt_trial(directory, keyring, suite, contents, ()) as trial:
            trial.install(indexes_of(suite, contents))
            trial.update()
    yield from _release_problems(directory, suite)
    yield from misfits(contents)
    new = [
        package for package in contents.packages if seen.isdisjoint(f.path for f in package.files)
    ]
    seen.update(file.path for package in new for file in package.files)
    yield from pool.damage(new, tree.root)


def _older_problems(tree: Tree, suite: RepoSuite, current: int) -> Iterator[str]:
    """Older generations that a rollback could not restore, because they are damaged."""
    for number in tree.numbers(suite.name):
        if number < current:
            try:
                load_contents(tree.generation(suite.name, number), suite)
            except HadebError as error:
                yield error.message


def _release_problems(directory: Path, suite: RepoSuite) -> Iterator[str]:
    release = (directory / "Release").read_text("utf-8").split()
    for path in ("manifest.json", *(f"{path}.gz" for path in index_paths(suite).values())):
        file = directory / path
        if file.exists() and digest(file) not in release:
            yield f"{path} is not what Release says"


def _page_problems(writer: Writer, repository: Repository, keys: PublicKeys) -> Iterator[str]:
    """Pages that are not as hadeb writes them for the current generations."""
    # A damaged generation is already reported.
    writer = dataclasses.replace(writer, info=lambda _: None)
    pages = _other_pages(writer, repository, keys)
    if pages:
        try:
            # Another command may be between the switch and the pages; wait for it and look again.
            with writing(writer):
                pages = _other_pages(writer, open_repository(writer.tree), keys)
        except OSError:
            # Without permission to take the lock, report what is there.
            pass
    for path in pages:
        what = "is not as hadeb writes it" if path.is_file() else "is missing"
        yield f"{path.name} {what}: {_REMEDY}"


def _other_pages(writer: Writer, repository: Repository, keys: PublicKeys) -> list[Path]:
    return [
        writer.tree.root / name
        for name, content in current_pages(writer, repository, keys).items()
        if not (path := writer.tree.root / name).is_file() or path.read_bytes() != content
    ]
