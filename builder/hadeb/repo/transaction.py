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
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.repo import durable, signing
from hadeb.repo.contents import Contents, Difference, difference
from hadeb.repo.generation import Heading, contents_in_force, date_of, keep_old_indexes, lay_out
from hadeb.repo.history import Action, Change, record, stamp
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.keyring import current_keys, with_keyring, with_keys
from hadeb.repo.keys import PublicKeys
from hadeb.repo.opening import save_repository
from hadeb.repo.rehearsal import rehearsal
from hadeb.repo.writer import Writer


@dataclass(frozen=True, slots=True)
class Step:
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


def conclude(
    writer: Writer,
    repository: Repository,
    suite: RepoSuite,
    old: Contents,
    new: Contents,
    step: Step,
    *,
    dry_run: bool = False,
    anyway: bool = False,
    keys: PublicKeys | None = None,
) -> Outcome:
    """Bring a suite from one list to another, and the pages beside it; wants the lock.

    Where nothing changes there is no new generation, unless it is wanted `anyway`. The pages are
    written all the same: a command that was killed may have left them behind. `keys` are those that
    sign, where they are known.
    """
    tree = writer.tree
    if dry_run:
        return Outcome(repository, suite, tree.current(suite.name), difference(old, new))
    keys = keys or current_keys(writer, repository)
    repository = with_keys(repository, keys, writer.now.timestamp())
    save_repository(tree, repository)
    new = with_keyring(writer, repository, keys, suite, new)
    change = difference(old, new)
    if change or anyway or not tree.current(suite.name):
        pages = _put_in_force(writer, repository, keys, suite, change, new, step)
    else:
        pages = {}
    from hadeb.repo import front

    if not pages and (view := front.view_in_force(tree, suite, new)):
        pages = front.drawn(tree, repository, keys, view)
    front.write_pages(tree, pages)
    return Outcome(repository, suite, tree.current(suite.name), change)


def sign_anew(
    writer: Writer, repository: Repository, suites: Iterable[RepoSuite], step: Step
) -> list[Outcome]:
    """Put the lists in force under a fresh date and signature; wants the lock."""
    outcomes = []
    for suite in suites:
        writer.tree.clear_unfinished(suite.name)
        now = contents_in_force(writer.tree, suite)
        outcome = conclude(writer, repository, suite, now, now, step, anyway=True)
        repository = outcome.repository
        outcomes.append(outcome)
    return outcomes


def _put_in_force(
    writer: Writer,
    repository: Repository,
    keys: PublicKeys,
    suite: RepoSuite,
    change: Difference,
    new: Contents,
    step: Step,
) -> dict[str, bytes]:
    """Make a generation of `new` and let clients have it; the pages that belong to it.

    There are none where another suite cannot be read, which does not keep this one back.
    Raises HadebError where a key, a verifier or apt refuses, and leaves the suite as it was.
    """
    tree = writer.tree
    number = tree.current(suite.name) + 1
    heading = Heading(number, _date(writer, suite))
    final = tree.generation(suite.name, number)
    directory = final.with_name(f"{durable.UNFINISHED}{number}")
    directory.mkdir()
    pages: dict[str, bytes] = {}

    def meanwhile() -> None:
        # Loaded now, while apt works, and not before it begins.
        from hadeb.repo import front

        keep_old_indexes(tree, suite, directory, writer.now.timestamp())
        with suppress(HadebError):
            view = front.view(suite, new, number, heading.date)
            pages.update(front.drawn(tree, repository, keys, view))

    try:
        lay_out(directory, repository, suite, new, heading)
        _sign_and_try(writer, repository, keys, suite, directory, change, new, meanwhile)
        record(tree, suite.name, _change(writer, heading, change, step))
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
    durable.sync([final.parent, final.parent.parent, tree.root])
    tree.switch(suite.name, number)
    return pages


def _change(writer: Writer, heading: Heading, change: Difference, step: Step) -> Change:
    return Change(
        heading.number,
        stamp(heading.date),
        writer.who,
        step.action,
        tuple(change.lines()),
        step.source,
        step.restores,
    )


def _sign_and_try(
    writer: Writer,
    repository: Repository,
    keys: PublicKeys,
    suite: RepoSuite,
    directory: Path,
    change: Difference,
    new: Contents,
    meanwhile: Callable[[], None],
) -> None:
    """Sign a generation, try it with apt, verify all signatures, and bring it to the disk.

    apt takes longest, so it begins as soon as it has what it reads.
    """
    before = writer.tree.generation(suite.name, writer.tree.current(suite.name))
    with ThreadPoolExecutor(1) as thread, signing.keyring_file(keys.binary) as keyring:
        signed = thread.submit(signing.sign, writer.keychain, repository.keys, directory)
        with rehearsal(directory, keyring, suite, new, change.added) as begin:
            signed.result()
            _let_be_younger(directory, before)
            begin()
            signing.sign_apart(writer.keychain, repository.keys, directory)
            _let_be_younger(directory, before)
            signing.verify(keyring, directory, len(keys.keys))
            meanwhile()
            durable.sync_tree(directory)


def _let_be_younger(directory: Path, before: Path) -> None:
    """Let a generation's files be a second younger than those of the one before.

    A client asks whether InRelease has changed since the second that it knows. Servers compare no
    more than that, and would deny a change within it for as long as there is no other.
    """
    earlier = before.iterdir() if before.is_dir() else ()
    latest = max((int(file.stat().st_mtime) for file in earlier if file.is_file()), default=0)
    for file in filter(Path.is_file, directory.iterdir()):
        time = max(int(file.stat().st_mtime), latest + 1)
        os.utime(file, (time, time))


def _date(writer: Writer, suite: RepoSuite) -> datetime.datetime:
    """Now, or the date of the generation in force where this clock lags a little behind another.

    So it does, too, where we have waited for the lock, for ten minutes at most. apt keeps the newer
    of two Releases, silently (apt-secure(8)).
    """
    now = writer.now.replace(microsecond=0)
    last = date_of(writer.tree, suite)
    return last if last and now < last < now + datetime.timedelta(minutes=15) else now
