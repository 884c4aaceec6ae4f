# SPDX-License-Identifier: Apache-2.0
"""`hadeb publish`: put packages into a suite."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.repo.disk import ownership, pool
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.disk.repository_file import save_repository
from hadeb.repo.intake.incoming import input_files, read_incoming
from hadeb.repo.intake.staging import staging_directory
from hadeb.repo.keyring.signing_keys import current_keys, try_keys
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage
from hadeb.repo.model.repository import Repository
from hadeb.repo.model.suite_update import add_packages, refuse_changed_packages
from hadeb.repo.session.settings import Options, requested_repository, requested_suite
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.signing.keychain import make_key, scratch_keychain
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Operation, Outcome, commit


@dataclass(frozen=True, slots=True)
class Addition:
    """Which suite packages go to, and how: `phase` is the percentage of machines at first."""

    suite: str
    component: str = "main"
    phase: int = 100
    downgrade: bool = False


def publish(
    caller: Writer, paths: Sequence[Path], addition: Addition, options: Options, *, dry_run: bool
) -> Outcome:
    """Put files into a suite; creates the repository and the suite if they do not exist."""
    # Refuse impossible options and files before anything creates a directory.
    repository = requested_repository(caller.tree, options, caller.keychain)
    requested_suite(repository, addition.suite, addition.component, options)
    input_files(paths)
    ownership.refuse_foreign_files(caller.tree)
    if dry_run and not repository.keys:
        return _dry_run_with_scratch_key(caller, repository, paths, addition, options)
    with writing(caller, new=True, dry_run=dry_run) as writer:
        repository = requested_repository(writer.tree, options, writer.keychain)
        return _publish(writer, repository, paths, addition, options, dry_run=dry_run)


def _dry_run_with_scratch_key(
    writer: Writer,
    repository: Repository,
    paths: Sequence[Path],
    addition: Addition,
    options: Options,
) -> Outcome:
    """What would be published, signed with a scratch key instead of a new one."""
    with scratch_keychain() as keychain:
        key = make_key(keychain, f"{repository.origin} archive signing key")
        writer = dataclasses.replace(writer, keychain=keychain)
        repository = dataclasses.replace(repository, keys=(key,))
        return _publish(writer, repository, paths, addition, options, dry_run=True)


def _ensure_signing_key(writer: Writer, repository: Repository) -> Repository:
    """The repository with a new key if it has none; before a first publish, test the keys."""
    if repository.keys:
        if not repository.suites:
            try_keys(writer, repository)
        return repository
    key = make_key(writer.keychain, f"{repository.origin} archive signing key")
    writer.warning(f"made the signing key {key}; keep a copy: gpg --export-secret-keys {key}")
    repository = dataclasses.replace(repository, keys=(key,))
    # Save it, so that the next call finds it even if this one fails.
    save_repository(writer.tree, repository)
    return repository


def _publish(
    writer: Writer,
    repository: Repository,
    paths: Sequence[Path],
    addition: Addition,
    options: Options,
    *,
    dry_run: bool,
) -> Outcome:
    tree = writer.tree
    suite = requested_suite(repository, addition.suite, addition.component, options)
    if not dry_run:
        tree.make(suite.name)
        tree.clear_unfinished(suite.name)
    with (
        staging_directory(None if dry_run else tree.incoming) as staging,
        ThreadPoolExecutor() as threads,
    ):
        # Other programs read the files and find the keys while this thread reads the list.
        reading = threads.submit(read_incoming, paths, staging, suite, addition.component)
        looking = threads.submit(current_keys, writer, repository) if repository.keys else None
        old = contents_in_force(tree, suite)
        incoming = reading.result()
        pool.refuse_conflicts(
            tree, [file for package in incoming for file in package.published.files]
        )
        if problems := _keyring_names(incoming, repository):
            raise FilesRefused(problems)
        wanted = [package.published._replace(phase=addition.phase) for package in incoming]
        refuse_changed_packages(wanted, old)
        new = add_packages(old, wanted, suite, downgrade=addition.downgrade)
        keys = looking.result() if looking else None
        if not dry_run:
            repository = _ensure_signing_key(writer, repository)
            pool.add(tree, incoming)
        repository = repository.with_suite(suite)
        operation = Operation("publish")
        return commit(writer, repository, suite, old, new, operation, dry_run=dry_run, keys=keys)


def _keyring_names(incoming: Sequence[IncomingPackage], repository: Repository) -> list[str]:
    """A sentence for each package with the name of the keyring package, which hadeb makes."""
    name = keyring_name(repository)
    return [
        f"{package.origin}: has the name {name}, which hadeb gives to the package with this "
        "repository's keys: give it another name"
        for package in incoming
        if package.published.name == name
    ]
