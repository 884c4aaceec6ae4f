# SPDX-License-Identifier: Apache-2.0
"""Go from one generation to the next: build, sign, try with apt, verify, put in force.

Until the switch, nothing that a client reads has changed; the switch is one rename. A command
killed before the switch leaves files that the next command removes. If it is killed later, the next
command writes the missing pages.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files import atomic
from hadeb.files.scratch import scratch_directory
from hadeb.repo.apt.trial import LAG, apt_trial
from hadeb.repo.disk.generation import date_of
from hadeb.repo.disk.history import Action, Change, record, stamp
from hadeb.repo.disk.indexes import indexes_of
from hadeb.repo.disk.new_generation import GenerationInfo, write_generation
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
    """The operation that makes a new generation, for the history."""

    action: Action
    source: str | None = None
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did or would do to a suite; `generation` is the current one afterwards."""

    repository: Repository
    suite: RepoSuite
    generation: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class _Draft:
    """A generation to build: its list, what changes, and the keys that sign it."""

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
    """Build the generation and switch to it; returns the pages that belong to it.

    Raises HadebError if a key, a verifier or apt refuses it; the suite is then unchanged.
    """
    writer, suite = draft.writer, draft.suite
    tree = writer.tree
    number = tree.current(suite.name) + 1
    info = GenerationInfo(number, _release_date(writer, suite))
    final = tree.generation(suite.name, number)
    directory = final.with_name(f"{atomic.UNFINISHED}{number}")
    directory.mkdir()
    pages: dict[str, bytes] = {}

    def draw_pages() -> None:
        # Imported here, while apt runs: tests/bench/repo_bench.py measures the difference.
        from hadeb.repo.site.write_pages import current_pages, suite_view

        keep_superseded_indexes(tree, suite, directory, writer.now.timestamp())
        view = suite_view(suite, draft.new, number, info.date)
        pages.update(current_pages(writer, draft.repository, draft.keys, view))

    try:
        _build(draft, directory, info, draw_pages)
        record(tree, suite.name, _change(draft, info, operation))
        directory.rename(final)
    except OSError as error:
        raise HadebError(
            f"generation {number} of {suite.name} cannot be written: {error.strerror}",
            hint="the suite is unchanged; free some space, for example with hadeb prune",
        ) from error
    finally:
        # After the rename it is no longer there.
        shutil.rmtree(directory, ignore_errors=True)
    # Include the directories above: their command may have been killed before it synced them.
    atomic.sync([final.parent, final.parent.parent, tree.root])
    # Save this only now that nothing refused: a refused publish must not change the repository.
    save_repository(tree, draft.repository)
    tree.switch(suite.name, number)
    return pages


def _build_for_dry_run(draft: _Draft) -> None:
    """Build a generation in a scratch directory; HadebError if it could not be put in force."""
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
    draft: _Draft, directory: Path, info: GenerationInfo, while_apt_runs: Callable[[], None]
) -> None:
    """Write a generation, sign it, try it with apt, verify it, and sync it to the disk.

    apt takes longest, so each trial starts as soon as its input is there. `while_apt_runs` is
    called in a thread, beside apt, gpg and the verifiers.
    """
    writer, keys, suite, new = draft.writer, draft.keys, draft.suite, draft.new
    before = writer.tree.generation(suite.name, writer.tree.current(suite.name))
    signers = (writer.keychain, keys.keys, directory, writer.info)
    with (
        keyring_file(keys.binary) as keyring,
        apt_trial(directory, keyring, suite, new, draft.change.added) as trial,
        ThreadPoolExecutor(1) as threads,
    ):
        indexes = indexes_of(suite, new)
        trial.install(indexes)
        write_generation(directory, draft.repository, suite, new, indexes, info)
        sign_in_release(*signers)
        _bump_mtimes(directory, before)
        trial.update()
        drawing = threads.submit(while_apt_runs)
        sign_detached(*signers)
        _bump_mtimes(directory, before)
        verify_signatures(keyring, directory, len(keys.keys))
        drawing.result()
        atomic.sync_tree(directory)


def _bump_mtimes(directory: Path, before: Path) -> None:
    """Date a generation's files at least a second after those of the previous one.

    A client asks whether InRelease changed after the second it knows. Servers compare whole
    seconds, so they would hide a second change in the same one until the next change.
    """
    earlier = before.iterdir() if before.is_dir() else ()
    latest = max((int(file.stat().st_mtime) for file in earlier if file.is_file()), default=0)
    for file in filter(Path.is_file, directory.iterdir()):
        time = max(int(file.stat().st_mtime), latest + 1)
        os.utime(file, (time, time))


def _release_date(writer: Writer, suite: RepoSuite) -> datetime.datetime:
    """Now, or a second after the current generation if this clock is slightly behind.

    apt silently keeps the newer of two Releases (apt-secure(8)). Raises HadebError if the clock is
    far behind: one of the two clocks is wrong, and clients refuse a date in the future.
    """
    now = writer.now.replace(microsecond=0)
    last = date_of(writer.tree, suite, writer.tree.current(suite.name))
    if last is None or last <= now:
        return now
    if last - now > datetime.timedelta(seconds=LAG):
        raise HadebError(
            f"this machine's clock shows {now:%Y-%m-%d %H:%M:%S}, but {suite.name} was signed "
            f"on {last:%Y-%m-%d %H:%M:%S} (UTC)",
            hint="set the clock; if the other clock was wrong, wait until that time",
        )
    return last + datetime.timedelta(seconds=1)
