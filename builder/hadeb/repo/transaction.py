# SPDX-License-Identifier: Apache-2.0
"""From one generation to the next: laid out, signed, verified, tried with apt, then put in force.

Up to the switch nothing that a client reads has changed; the switch is one rename. Whoever is
killed before it leaves what the next command removes, whoever is killed after it leaves pages
that the next command writes.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files import atomic
from hadeb.files.scratch import scratch_directory
from hadeb.repo.apt.trial import LAG, apt_trial
from hadeb.repo.disk.generation import date_of
from hadeb.repo.disk.history import Action, Change, record, stamp
from hadeb.repo.disk.indexes import indexes_of
from hadeb.repo.disk.new_generation import GenerationInfo, lay_out
from hadeb.repo.disk.repository_file import save_repository
from hadeb.repo.disk.superseded_indexes import keep_superseded_indexes
from hadeb.repo.keyring.add_to_suite import add_keyring, record_keys
from hadeb.repo.keyring.signing_keys import current_keys
from hadeb.repo.model.contents import Contents, Difference, difference
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing.keychain import keyring_file
from hadeb.repo.signing.sign_release import sign_detached, sign_in_release
from hadeb.repo.signing.verify_signatures import verify_signatures


@dataclass(frozen=True, slots=True)
class Operation:
    """What brings a new generation about."""

    action: Action
    source: str | None = None
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did to a suite, or would do; `generation` is the one in force afterwards."""

    repository: Repository
    suite: RepoSuite
    generation: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class _Draft:
    """A generation that is to be: what it lists, what is new in that, and whose keys sign it."""

    writer: Writer
    repository: Repository
    keys: PublicKeys
    suite: RepoSuite
    new: Contents
    change: Difference


def commit(
    writer: Writer,
    repository: Repository,
    suite: RepoSuite,
    old: Contents,
    new: Contents,
    operation: Operation,
    *,
    dry_run: bool = False,
    force: bool = False,
    keys: PublicKeys | None = None,
) -> Outcome:
    """Take a suite from one list to another and write the pages; the caller holds the lock.

    If nothing changes, there is no new generation unless `force` is set. The pages are written in
    any case, because a killed command may have left old ones. With `dry_run` the new generation is
    built and tried in a scratch directory. `keys` are the signing keys, if the caller knows them.
    """
    tree = writer.tree
    keys = keys or current_keys(writer, repository)
    repository = record_keys(repository, keys, writer.now.timestamp())
    repository, new = add_keyring(writer, repository, keys, suite, new, dry_run=dry_run)
    change = difference(old, new)
    wanted = bool(change) or force or not tree.current(suite.name)
    draft = _Draft(writer, repository, keys, suite, new, change)
    if dry_run:
        if wanted:
            _build_for_dry_run(draft)
        return Outcome(repository, suite, tree.current(suite.name), change)
    if wanted:
        pages = _put_in_force(draft, operation)
    else:
        save_repository(tree, repository)
        pages = {}
    from hadeb.repo.site.write_pages import current_pages, published_view, write_pages

    if not pages:
        pages = current_pages(writer, repository, keys, published_view(writer, suite, new))
    write_pages(tree, pages)
    return Outcome(repository, suite, tree.current(suite.name), change)


def _put_in_force(draft: _Draft, operation: Operation) -> dict[str, bytes]:
    """Make the generation and let clients have it; the pages that belong to it.

    Raises HadebError where a key, a verifier or apt refuses, and leaves the suite as it was.
    """
    writer, suite = draft.writer, draft.suite
    tree = writer.tree
    number = tree.current(suite.name) + 1
    info = GenerationInfo(number, _release_date(writer, suite))
    final = tree.generation(suite.name, number)
    directory = final.with_name(f"{atomic.UNFINISHED}{number}")
    directory.mkdir()
    pages: dict[str, bytes] = {}

    def meanwhile() -> None:
        # Imported here, while apt runs: tests/bench/repo_bench.py measures the difference.
        from hadeb.repo.site.write_pages import current_pages, suite_view

        keep_superseded_indexes(tree, suite, directory, writer.now.timestamp())
        view = suite_view(suite, draft.new, number, info.date)
        pages.update(current_pages(writer, draft.repository, draft.keys, view))

    try:
        _build(draft, directory, info, meanwhile)
        record(tree, suite.name, _change(draft, info, operation))
        directory.rename(final)
    except OSError as error:
        raise HadebError(
            f"generation {number} of {suite.name} cannot be written: {error.strerror}",
            hint="the suite is as it was; make room, for example with hadeb prune",
        ) from error
    finally:
        # It is no longer there where it has its name.
        shutil.rmtree(directory, ignore_errors=True)
    # Those above it, too: who made them may have been killed before they were on the disk.
    atomic.sync([final.parent, final.parent.parent, tree.root])
    # Not before all have agreed: what is refused says nothing of what the repository is.
    save_repository(tree, draft.repository)
    tree.switch(suite.name, number)
    return pages


def _build_for_dry_run(draft: _Draft) -> None:
    """Make a generation that nobody gets; HadebError where it could not be put in force."""
    with scratch_directory("trial") as directory:
        number = draft.writer.tree.current(draft.suite.name) + 1
        _build(
            draft,
            directory,
            GenerationInfo(number, _release_date(draft.writer, draft.suite)),
            lambda: None,
        )


def _change(draft: _Draft, info: GenerationInfo, operation: Operation) -> Change:
    return Change(
        info.number,
        stamp(info.date),
        draft.writer.who,
        operation.action,
        tuple(draft.change.lines()),
        operation.source,
        operation.restores,
    )


def _build(
    draft: _Draft, directory: Path, info: GenerationInfo, meanwhile: Callable[[], None]
) -> None:
    """Lay out a generation, sign it, try it with apt, verify it, and bring it to the disk.

    apt takes longest, so it begins with each trial as soon as it has what it reads.
    """
    writer, keys, suite, new = draft.writer, draft.keys, draft.suite, draft.new
    before = writer.tree.generation(suite.name, writer.tree.current(suite.name))
    signers = (writer.keychain, keys.keys, directory, writer.info)
    with (
        keyring_file(keys.binary) as keyring,
        apt_trial(directory, keyring, suite, new, draft.change.added) as trial,
    ):
        indexes = indexes_of(suite, new)
        trial.install(indexes)
        lay_out(directory, draft.repository, suite, new, indexes, info)
        sign_in_release(*signers)
        _bump_mtimes(directory, before)
        trial.update()
        sign_detached(*signers)
        _bump_mtimes(directory, before)
        verify_signatures(keyring, directory, len(keys.keys))
        meanwhile()
        atomic.sync_tree(directory)


def _bump_mtimes(directory: Path, before: Path) -> None:
    """Let a generation's files be a second younger than those of the one before.

    A client asks whether InRelease has changed since the second that it knows. Servers compare no
    more than that, and would deny a change within it for as long as there is no other.
    """
    earlier = before.iterdir() if before.is_dir() else ()
    latest = max((int(file.stat().st_mtime) for file in earlier if file.is_file()), default=0)
    for file in filter(Path.is_file, directory.iterdir()):
        time = max(int(file.stat().st_mtime), latest + 1)
        os.utime(file, (time, time))


def _release_date(writer: Writer, suite: RepoSuite) -> datetime.datetime:
    """Now, or a second after the generation in force where this clock lags a little behind another.

    apt keeps the newer of two Releases, silently (apt-secure(8)). Raises HadebError where the clock
    is far behind: one of the two is wrong, and clients would not take a date that is to come.
    """
    now = writer.now.replace(microsecond=0)
    last = date_of(writer.tree, suite, writer.tree.current(suite.name))
    if last is None or last <= now:
        return now
    if last - now > datetime.timedelta(seconds=LAG):
        raise HadebError(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M:%S}, and {suite.name} was signed "
            f"on {last:%Y-%m-%d %H:%M:%S} (UTC)",
            hint="set the clock; where it was the other that was wrong, wait until that time",
        )
    return last + datetime.timedelta(seconds=1)
