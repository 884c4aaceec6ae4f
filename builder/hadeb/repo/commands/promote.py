# SPDX-License-Identifier: Apache-2.0
"""`hadeb promote`: put a package of one suite into another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hadeb.errors import UsageError
from hadeb.repo.commands.publish import Addition
from hadeb.repo.disk import pool
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.contents import Published
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.model.suite_update import add_packages, refuse_changed_packages, select_packages
from hadeb.repo.session.settings import Options, requested_suite
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.transaction import Operation, Outcome, commit


def promote(
    caller: Writer,
    name: str,
    version: str | None,
    source: str,
    addition: Addition,
    *,
    dry_run: bool,
) -> Outcome:
    """Put a package of one suite into another: by default, its newest version.

    With the same suite twice, only the phase changes.
    """
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        origin = repository.suite(source)
        available = contents_in_force(tree, origin)
        chosen = select_packages(available, name, version, source)
        suite = _target_suite(repository, origin, addition.suite, chosen)
        fit = {*suite.architectures, "all", "source"}
        unfit = {package.architecture for package in chosen} - fit
        if unfit:
            raise UsageError(f"{suite.name} is not for {', '.join(sorted(unfit))}")
        pool.refuse_damage(chosen, tree.root)
        repository = repository.with_suite(suite)
        if not dry_run:
            tree.make(suite.name)
            tree.clear_unfinished(suite.name)
        old = contents_in_force(tree, suite)
        wanted = [package._replace(phase=addition.phase) for package in chosen]
        refuse_changed_packages(wanted, old)
        new = add_packages(old, wanted, suite, downgrade=addition.downgrade)
        operation = (
            Operation("phase") if source == suite.name else Operation("promote", source=source)
        )
        return commit(writer, repository, suite, old, new, operation, dry_run=dry_run)


def _target_suite(
    repository: Repository, origin: RepoSuite, name: str, chosen: Sequence[Published]
) -> RepoSuite:
    """The suite that the packages go to; a new one gets the settings of `origin`."""
    if name in {suite.name for suite in repository.suites}:
        suite = repository.suite(name)
    else:
        options = Options(architectures=origin.architectures, valid_days=origin.valid_days)
        suite = requested_suite(repository, name, chosen[0].component, options)
        suite = dataclasses.replace(suite, components=origin.components)
    components = [*suite.components, *(package.component for package in chosen)]
    return dataclasses.replace(suite, components=tuple(dict.fromkeys(components)))
