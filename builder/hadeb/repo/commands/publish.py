# SPDX-License-Identifier: Apache-2.0
"""Packages into a suite: `hadeb publish` and `hadeb promote`, and out of it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.version import version_key
from hadeb.errors import UsageError
from hadeb.repo.disk import ownership, pool
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.intake.incoming import named, read_incoming, staging_in
from hadeb.repo.keyring.publish import current_keys, try_keys
from hadeb.repo.model.contents import Contents, Published
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.settings import (
    Wishes,
    open_repository,
    save_repository,
    wished_repository,
    wished_suite,
)
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.signing import gpg
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Outcome, Step, conclude


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to go into a suite, and how: `phase` is the percentage of machines to begin with."""

    suite: str
    component: str = "main"
    phase: int = 100
    downgrade: bool = False


def publish(
    caller: Writer, paths: Sequence[Path], addition: Addition, wishes: Wishes, *, dry_run: bool
) -> Outcome:
    """Put files into a suite, and make repository and suite where they are not there yet."""
    # Wishes that cannot be fulfilled, and files that are none, are refused before there is a
    # directory.
    repository = wished_repository(caller.tree, wishes, caller.keychain)
    wished_suite(repository, addition.suite, addition.component, wishes)
    named(paths)
    ownership.refuse_others(caller.tree)
    if dry_run and not repository.keys:
        return _tried(caller, repository, paths, addition, wishes)
    with writing(caller, new=True, dry_run=dry_run) as writer:
        repository = wished_repository(writer.tree, wishes, writer.keychain)
        return _publish(writer, repository, paths, addition, wishes, dry_run=dry_run)


def _tried(
    writer: Writer,
    repository: Repository,
    paths: Sequence[Path],
    addition: Addition,
    wishes: Wishes,
) -> Outcome:
    """What would be published, signed with a key for the occasion in place of one to be made."""
    with gpg.throw_away() as keychain:
        key = gpg.make_key(keychain, f"{repository.origin} archive signing key")
        writer = dataclasses.replace(writer, keychain=keychain)
        repository = dataclasses.replace(repository, keys=(key,))
        return _publish(writer, repository, paths, addition, wishes, dry_run=True)


def _with_keys_that_sign(writer: Writer, repository: Repository) -> Repository:
    """The repository with a new key where it has none; for one to be born, they are tried first."""
    if repository.keys:
        if not repository.suites:
            try_keys(writer, repository)
        return repository
    key = gpg.make_key(writer.keychain, f"{repository.origin} archive signing key")
    writer.warning(f"made the signing key {key}; keep a copy: gpg --export-secret-keys {key}")
    repository = dataclasses.replace(repository, keys=(key,))
    # The next call is to find it, whatever becomes of this one.
    save_repository(writer.tree, repository)
    return repository


def _publish(
    writer: Writer,
    repository: Repository,
    paths: Sequence[Path],
    addition: Addition,
    wishes: Wishes,
    *,
    dry_run: bool,
) -> Outcome:
    tree = writer.tree
    suite = wished_suite(repository, addition.suite, addition.component, wishes)
    if not dry_run:
        tree.make(suite.name)
        tree.clear_unfinished(suite.name)
    with staging_in(None if dry_run else tree.incoming) as staging, ThreadPoolExecutor() as threads:
        # Other programs read the files and look for the keys, while we read the list.
        reading = threads.submit(read_incoming, paths, staging, suite, addition.component)
        looking = threads.submit(current_keys, writer, repository) if repository.keys else None
        old = contents_in_force(tree, suite)
        arrived = reading.result()
        pool.refuse_clashes(tree, [file for one in arrived for file in one.published.files])
        if faults := _of_hadeb(arrived, repository):
            raise FilesRefused(faults)
        wanted = [one.published._replace(phase=addition.phase) for one in arrived]
        _refuse_list_clashes(wanted, old)
        new = _grown(old, wanted, suite, downgrade=addition.downgrade)
        keys = looking.result() if looking else None
        if not dry_run:
            repository = _with_keys_that_sign(writer, repository)
            pool.place(tree, arrived)
        repository = repository.with_suite(suite)
        step = Step("publish")
        return conclude(writer, repository, suite, old, new, step, dry_run=dry_run, keys=keys)


def _of_hadeb(arrived: Sequence[IncomingPackage], repository: Repository) -> list[str]:
    """What has the name of the package with the keys, which every suite gets by itself."""
    name = keyring_name(repository)
    return [
        f"{one.origin}: is called {name}, as the package with this repository's keys that hadeb "
        "makes: give it another name"
        for one in arrived
        if one.published.name == name
    ]


def _refuse_list_clashes(wanted: Sequence[Published], old: Contents) -> None:
    """FilesRefused where the suite has a name and version elsewhere or with other bytes."""
    known = {one.identity: one for one in old.packages}
    faults = [
        f"{one} is in the suite already, as {known[one.identity].files[0].path}"
        ": a changed package wants a new version"
        for one in wanted
        if one.identity in known and known[one.identity].files != one.files
    ]
    if faults:
        raise FilesRefused(faults)


def _grown(
    old: Contents, wanted: Sequence[Published], suite: RepoSuite, *, downgrade: bool
) -> Contents:
    """The list with these in it; UsageError where clients would have to go back, unasked."""
    lower = {}
    known = {one.identity for one in old.packages}
    for one in wanted:
        # What is in already takes nobody back, as where a killed publish of two versions is called
        # again.
        if not downgrade and one.identity in known:
            continue
        if newer := old.newer(one):
            lower[one] = newer
    if lower and not downgrade:
        listed = "".join(
            f"\n  {one}: the suite has {newer[-1].version} for {newer[-1].architecture}"
            for one, newer in lower.items()
        )
        raise UsageError(
            f"{suite.name} would go back to an older version:{listed}",
            hint="--downgrade takes the newer versions out of the suite, for all architectures",
        )
    return old.without(gone for newer in lower.values() for gone in newer).with_packages(wanted)


def promote(
    caller: Writer,
    name: str,
    version: str | None,
    source: str,
    addition: Addition,
    *,
    dry_run: bool,
) -> Outcome:
    """Put a package of one suite into another: the newest version, where none is named.

    Within one suite it changes the phase alone.
    """
    tree = caller.tree
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(tree)
        origin = repository.suite(source)
        available = contents_in_force(tree, origin)
        chosen = _chosen(available, name, version, source)
        suite = _promoted_to(repository, origin, addition.suite, chosen)
        unfit = {one.architecture for one in chosen} - {*suite.architectures, "all", "source"}
        if unfit:
            raise UsageError(f"{suite.name} is not for {', '.join(sorted(unfit))}")
        pool.refuse_faults(chosen, tree.root)
        repository = repository.with_suite(suite)
        if not dry_run:
            tree.make(suite.name)
            tree.clear_unfinished(suite.name)
        old = contents_in_force(tree, suite)
        wanted = [one._replace(phase=addition.phase) for one in chosen]
        _refuse_list_clashes(wanted, old)
        new = _grown(old, wanted, suite, downgrade=addition.downgrade)
        step = Step("phase") if source == suite.name else Step("promote", source=source)
        return conclude(writer, repository, suite, old, new, step, dry_run=dry_run)


def _promoted_to(
    repository: Repository, origin: RepoSuite, name: str, chosen: Sequence[Published]
) -> RepoSuite:
    """The suite that packages of `origin` go to, made like it where it is not there."""
    if name in {suite.name for suite in repository.suites}:
        suite = repository.suite(name)
    else:
        wishes = Wishes(architectures=origin.architectures, valid_days=origin.valid_days)
        suite = wished_suite(repository, name, chosen[0].component, wishes)
        suite = dataclasses.replace(suite, components=origin.components)
    components = [*suite.components, *(one.component for one in chosen)]
    return dataclasses.replace(suite, components=tuple(dict.fromkeys(components)))


def _chosen(contents: Contents, name: str, version: str | None, suite: str) -> list[Published]:
    versions = {one.version for one in contents.named(name)}
    if not versions:
        raise UsageError(f"{suite} has no package {name}", hint=f"hadeb repo list {suite}")
    if version is None:
        version = max(versions, key=version_key)
    if version not in versions:
        listed = ", ".join(sorted(versions, key=version_key))
        raise UsageError(f"{suite} has no {name} {version}", hint=f"it has {listed}")
    return contents.named(name, version)


def remove(
    caller: Writer, name: str, version: str | None, suite_name: str, *, dry_run: bool
) -> Outcome:
    """Take a package out of a suite, all its versions where none is named."""
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        suite = repository.suite(suite_name)
        old = contents_in_force(writer.tree, suite)
        chosen = _chosen(old, name, version, suite_name)
        gone = chosen if version else old.named(name)
        if name == keyring_name(repository) and str(repository.keyring_version) in {
            one.version for one in gone
        }:
            raise UsageError(
                f"{suite.name} has to have {name}: it brings new keys to the machines",
                hint="an older version of it may go: NAME=VERSION names it",
            )
        if not dry_run:
            writer.tree.clear_unfinished(suite.name)
        step = Step("remove")
        return conclude(writer, repository, suite, old, old.without(gone), step, dry_run=dry_run)
