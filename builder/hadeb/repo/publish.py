# SPDX-License-Identifier: Apache-2.0
"""Packages into a suite: `hadeb publish` and `hadeb promote`, and out of it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import UsageError
from hadeb.repo import durable, pool, signing
from hadeb.repo.contents import Contents, Published
from hadeb.repo.generation import contents_in_force
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.incoming import Arrived, FilesRefused, read_incoming, staging_in
from hadeb.repo.keyring import current_keys, try_keys
from hadeb.repo.opening import (
    Wishes,
    born,
    find_repository,
    open_repository,
    reborn,
    save_repository,
    wished_suite,
)
from hadeb.repo.transaction import Outcome, Step, conclude
from hadeb.repo.version import version_key
from hadeb.repo.writer import Writer, writing


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to go into a suite, and how: `phase` is the percentage of machines to begin with."""

    suite: str
    component: str = "main"
    phase: int = 100
    downgrade: bool = False


def publish(
    writer: Writer, paths: Sequence[Path], addition: Addition, wishes: Wishes, *, dry_run: bool
) -> Outcome:
    """Put files into a suite, and make repository and suite where they are not there yet."""
    tree = writer.tree
    # Wishes that cannot be fulfilled are refused before there is a directory.
    repository = _wished(writer, wishes)
    if dry_run:
        return _publish(writer, repository, paths, addition, wishes, dry_run=True)
    durable.make_directory(tree.root)
    durable.make_directory(tree.state, 0o770)
    with writing(writer):
        repository = _wished(writer, wishes)
        if not repository.keys:
            key = signing.make_key(writer.keychain, f"{repository.origin} archive signing key")
            writer.say(f"made the signing key {key}; keep a copy: gpg --export-secret-keys {key}")
            repository = dataclasses.replace(repository, keys=(key,))
            save_repository(tree, repository)
        elif find_repository(tree) is None:
            try_keys(writer, repository)
        return _publish(writer, repository, paths, addition, wishes, dry_run=False)


def _wished(writer: Writer, wishes: Wishes) -> Repository:
    known = find_repository(writer.tree)
    if known is None:
        return born(writer.tree, wishes, writer.keychain)
    return reborn(known, wishes, writer.keychain)


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
    repository = repository.with_suite(suite)
    if not dry_run:
        tree.make(suite.name)
        tree.clear_unfinished(suite.name)
    with staging_in(None if dry_run else tree.incoming) as staging, ThreadPoolExecutor() as threads:
        # Other programs read the files and look for the keys, while we read the list.
        reading = threads.submit(read_incoming, paths, staging, suite, addition.component)
        looking = None if dry_run else threads.submit(current_keys, writer, repository)
        old = contents_in_force(tree, suite)
        arrived = reading.result()
        pool.refuse_clashes(tree, [file for one in arrived for file in one.published.files])
        if faults := _list_clashes(arrived, old):
            raise FilesRefused(faults)
        wanted = [one.published._replace(phase=addition.phase) for one in arrived]
        new = _grown(old, wanted, suite, downgrade=addition.downgrade)
        keys = looking.result() if looking else None
        if not dry_run:
            pool.place(tree, arrived)
        step = Step("publish")
        return conclude(writer, repository, suite, old, new, step, dry_run=dry_run, keys=keys)


def _list_clashes(arrived: Sequence[Arrived], old: Contents) -> list[str]:
    """What the suite has under that name and version, elsewhere in the pool or with other bytes."""
    known = {one.identity: one for one in old.packages}
    return [
        f"{one.published} is in the suite already, as {known[one.published.identity].files[0].path}"
        ": a changed package wants a new version"
        for one in arrived
        if one.published.identity in known
        and known[one.published.identity].files != one.published.files
    ]


def _grown(
    old: Contents, wanted: Sequence[Published], suite: RepoSuite, *, downgrade: bool
) -> Contents:
    """The list with these in it; UsageError where clients would have to go back, unasked."""
    lower = {}
    known = {one.identity for one in old.packages}
    for one in wanted:
        newest = old.newest(one.name, one.architecture)
        # What is in already takes nobody back, as where a killed publish of two versions is called
        # again.
        if not downgrade and one.identity in known:
            continue
        if newest and version_key(newest.version) > version_key(one.version):
            lower[one] = newest
    if lower and not downgrade:
        listed = "".join(f"\n  {one}: the suite has {new.version}" for one, new in lower.items())
        raise UsageError(
            f"{suite.name} would go back to an older version:{listed}",
            hint="--downgrade takes the newer versions out of the suite",
        )
    newer = [
        one
        for back in lower
        for one in old.named(back.name)
        if one.architecture == back.architecture
        and version_key(one.version) > version_key(back.version)
    ]
    return old.without(newer).with_packages(wanted)


def promote(
    writer: Writer,
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
    tree = writer.tree
    with writing(writer):
        repository = open_repository(tree)
        origin = repository.suite(source)
        available = contents_in_force(tree, origin)
        chosen = _chosen(available, name, version, source)
        known = {suite.name for suite in repository.suites}
        suite = (
            repository.suite(addition.suite)
            if addition.suite in known
            else dataclasses.replace(origin, name=addition.suite, codename=addition.suite)
        )
        components = [*suite.components, *(one.component for one in chosen)]
        suite = dataclasses.replace(suite, components=tuple(dict.fromkeys(components)))
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
        new = _grown(old, wanted, suite, downgrade=addition.downgrade)
        step = Step("phase") if source == suite.name else Step("promote", source=source)
        return conclude(writer, repository, suite, old, new, step, dry_run=dry_run)


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
    writer: Writer, name: str, version: str | None, suite_name: str, *, dry_run: bool
) -> Outcome:
    """Take a package out of a suite, all its versions where none is named."""
    with writing(writer):
        repository = open_repository(writer.tree)
        suite = repository.suite(suite_name)
        old = contents_in_force(writer.tree, suite)
        chosen = _chosen(old, name, version, suite_name)
        gone = chosen if version else old.named(name)
        if not dry_run:
            writer.tree.clear_unfinished(suite.name)
        step = Step("remove")
        return conclude(writer, repository, suite, old, old.without(gone), step, dry_run=dry_run)
