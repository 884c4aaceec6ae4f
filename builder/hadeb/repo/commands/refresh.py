# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo refresh`: sign the current list of a suite again, under a new date.

Changing the keys does the same for all suites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hadeb.errors import HadebError, ToolMissing
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.transaction import Operation, Outcome, commit


class SuitesFailed(HadebError):
    """Some suites could not be signed; `outcomes` are those of the suites that were."""

    def __init__(self, outcomes: Sequence[Outcome], failures: Mapping[str, HadebError]) -> None:
        suites_by_message = defaultdict[str, list[str]](list)
        for suite, error in failures.items():
            suites_by_message[error.message].append(suite)
        lines = [f"{', '.join(suites)}: {text}" for text, suites in suites_by_message.items()]
        hints = dict.fromkeys(error.hint for error in failures.values() if error.hint)
        super().__init__("\n".join(lines), hint="\n".join(hints) or None)
        self.outcomes = list(outcomes)


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """The outcome for each suite that was signed, and the error for each that was not."""

    outcomes: list[Outcome]
    failures: Mapping[str, HadebError]

    def raise_for_failures(self) -> None:
        """Raise SuitesFailed if a suite was not signed.

        Call it after the `writing` block: an error inside it would keep the suites that were
        signed from reaching an object store.
        """
        if self.failures:
            raise SuitesFailed(self.outcomes, self.failures)


def refresh(caller: Writer, suite_names: tuple[str, ...]) -> list[Outcome]:
    """Sign the current lists again, before Valid-Until passes; all suites if none is named."""
    with writing(caller) as writer:
        repository = open_repository(writer.tree)
        chosen = [repository.suite(name) for name in suite_names] or repository.suites
        result = refresh_suites(writer, repository, chosen, Operation("refresh"))
    result.raise_for_failures()
    return result.outcomes


def refresh_suites(
    writer: Writer, repository: Repository, suites: Iterable[RepoSuite], operation: Operation
) -> RefreshResult:
    """Publish the current lists under a new date and signature; the caller holds the lock.

    A suite that cannot be signed does not keep the others from being signed.
    """
    outcomes = []
    failures: dict[str, HadebError] = {}
    for suite in suites:
        try:
            writer.tree.clear_unfinished(suite.name)
            now = contents_in_force(writer.tree, suite)
            outcome = commit(writer, repository, suite, now, now, operation, force=True)
        except ToolMissing:
            raise
        except HadebError as error:
            failures[suite.name] = error
            continue
        repository = outcome.repository
        outcomes.append(outcome)
    return RefreshResult(outcomes, failures)
