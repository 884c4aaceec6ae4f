# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo remove`: take a package out of a suite."""

from __future__ import annotations

from hadeb.errors import UsageError
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.suite_update import select_packages
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Operation, Outcome, commit


def remove(
    caller: Writer, name: str, version: str | None, suite_name: str, *, dry_run: bool
) -> Outcome:
    """Remove a package from a suite: all its versions if none is named."""
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        suite = repository.suite(suite_name)
        old = contents_in_force(writer.tree, suite)
        chosen = select_packages(old, name, version, suite_name)
        gone = chosen if version else old.named(name)
        if name == keyring_name(repository) and str(repository.keyring_version) in {
            package.version for package in gone
        }:
            raise UsageError(
                f"{suite.name} needs {name}, which brings new keys to machines",
                hint="you can remove an older version of it: NAME=VERSION",
            )
        if not dry_run:
            writer.tree.clear_unfinished(suite.name)
        operation = Operation("remove")
        return commit(writer, repository, suite, old, old.without(gone), operation, dry_run=dry_run)
