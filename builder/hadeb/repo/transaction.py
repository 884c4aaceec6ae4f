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
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError, ToolMissing
from hadeb.files import atomic
from hadeb.files.scratch import scratch_directory
from hadeb.repo.apt.trial import LAG, rehearsal
from hadeb.repo.disk.generation import (
    Heading,
    contents_in_force,
    date_of,
    keep_old_indexes,
    lay_out,
)
from hadeb.repo.disk.history import Action, Change, record, stamp
from hadeb.repo.disk.indexes import indexes_of
from hadeb.repo.keyring.publish import current_keys, with_keyring, with_keys
from hadeb.repo.model.contents import Contents, Difference, difference
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.settings import save_repository
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing import gpg


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


@dataclass(frozen=True, slots=True)
class _Draft:
    """A generation that is to be: what it lists, what is new in that, and whose keys sign it."""

    writer: Writer
    repository: Repository
    keys: PublicKeys
    suite: RepoSuite
    new: Contents
    change: Difference


class SuitesFailed(HadebError):
    """Some suites could not be signed; `outcomes` are of those that were."""

    def __init__(self, outcomes: Sequence[Outcome], failures: Mapping[str, HadebError]) -> None:
        suites_of = defaultdict[str, list[str]](list)
        for suite, error in failures.items():
            suites_of[error.message].append(suite)
        lines = [f"{', '.join(suites)}: {message}" for message, suites in suites_of.items()]
        hints = dict.fromkeys(error.hint for error in failures.values() if error.hint)
        super().__init__("\n".join(lines), hint="\n".join(hints) or None)
        self.outcomes = list(outcomes)


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
    written all the same: a command that was killed may have left them behind. With `dry_run` the
    new generation is made and tried apart, and nothing is left of it. `keys` are those that sign,
    where they are known.
    """
    tree = writer.tree
    keys = keys or current_keys(writer, repository)
    repository = with_keys(repository, keys, writer.now.timestamp())
    repository, new = with_keyring(writer, repository, keys, suite, new, dry_run=dry_run)
    change = difference(old, new)
    wanted = bool(change) or anyway or not tree.current(suite.name)
    draft = _Draft(writer, repository, keys, suite, new, change)
    if dry_run:
        if wanted:
            _try_apart(draft)
        return Outcome(repository, suite, tree.current(suite.name), change)
    if wanted:
        pages = _put_in_force(draft, step)
    else:
        save_repository(tree, repository)
        pages = {}
    from hadeb.repo.site import refresh

    if not pages:
        own = refresh.view_in_force(writer, suite, new)
        pages = refresh.wanted_pages(writer, repository, keys, own)
    refresh.write_pages(tree, pages)
    return Outcome(repository, suite, tree.current(suite.name), change)


@dataclass(frozen=True, slots=True)
class SignedAnew:
    """What became of suites that were to be signed anew, and why it did not of others."""

    outcomes: list[Outcome]
    failures: Mapping[str, HadebError]

    def all(self) -> list[Outcome]:
        """SuitesFailed where not all were; for when the others are in force."""
        if self.failures:
            raise SuitesFailed(self.outcomes, self.failures)
        return self.outcomes


def sign_anew(
    writer: Writer, repository: Repository, suites: Iterable[RepoSuite], step: Step
) -> SignedAnew:
    """Put the lists in force under a fresh date and signature; wants the lock.

    Where a suite cannot be signed, the others are all the same.
    """
    outcomes = []
    failures: dict[str, HadebError] = {}
    for suite in suites:
        try:
            writer.tree.clear_unfinished(suite.name)
            now = contents_in_force(writer.tree, suite)
            outcome = conclude(writer, repository, suite, now, now, step, anyway=True)
        except ToolMissing:
            raise
        except HadebError as error:
            failures[suite.name] = error
            continue
        repository = outcome.repository
        outcomes.append(outcome)
    return SignedAnew(outcomes, failures)


def _put_in_force(draft: _Draft, step: Step) -> dict[str, bytes]:
    """Make the generation and let clients have it; the pages that belong to it.

    Raises HadebError where a key, a verifier or apt refuses, and leaves the suite as it was.
    """
    writer, suite = draft.writer, draft.suite
    tree = writer.tree
    number = tree.current(suite.name) + 1
    heading = Heading(number, _date(writer, suite))
    final = tree.generation(suite.name, number)
    directory = final.with_name(f"{atomic.UNFINISHED}{number}")
    directory.mkdir()
    pages: dict[str, bytes] = {}

    def meanwhile() -> None:
        # Loaded now, while apt works, and not before it begins.
        from hadeb.repo.site import refresh

        keep_old_indexes(tree, suite, directory, writer.now.timestamp())
        view = refresh.view(suite, draft.new, number, heading.date)
        pages.update(refresh.wanted_pages(writer, draft.repository, draft.keys, view))

    try:
        _make(draft, directory, heading, meanwhile)
        record(tree, suite.name, _change(draft, heading, step))
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


def _try_apart(draft: _Draft) -> None:
    """Make a generation that nobody gets; HadebError where it could not be put in force."""
    with scratch_directory("trial") as directory:
        number = draft.writer.tree.current(draft.suite.name) + 1
        _make(draft, directory, Heading(number, _date(draft.writer, draft.suite)), lambda: None)


def _change(draft: _Draft, heading: Heading, step: Step) -> Change:
    return Change(
        heading.number,
        stamp(heading.date),
        draft.writer.who,
        step.action,
        tuple(draft.change.lines()),
        step.source,
        step.restores,
    )


def _make(draft: _Draft, directory: Path, heading: Heading, meanwhile: Callable[[], None]) -> None:
    """Lay out a generation, sign it, try it with apt, verify it, and bring it to the disk.

    apt takes longest, so it begins with each trial as soon as it has what it reads.
    """
    writer, keys, suite, new = draft.writer, draft.keys, draft.suite, draft.new
    before = writer.tree.generation(suite.name, writer.tree.current(suite.name))
    signers = (writer.keychain, keys.keys, directory, writer.info)
    with (
        gpg.keyring_file(keys.binary) as keyring,
        rehearsal(directory, keyring, suite, new, draft.change.added) as trial,
    ):
        indexes = indexes_of(suite, new)
        trial.install(indexes)
        lay_out(directory, draft.repository, suite, new, indexes, heading)
        gpg.sign(*signers)
        _let_be_younger(directory, before)
        trial.update()
        gpg.sign_apart(*signers)
        _let_be_younger(directory, before)
        gpg.verify(keyring, directory, len(keys.keys))
        meanwhile()
        atomic.sync_tree(directory)


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
