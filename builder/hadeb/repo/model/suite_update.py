# SPDX-License-Identifier: Apache-2.0
"""How a suite's list may change: what may be added, and what a user's words select. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hadeb.debian.version import version_key
from hadeb.errors import UsageError
from hadeb.repo.model.contents import Contents, Published
from hadeb.repo.model.incoming_package import FilesRefused
from hadeb.repo.model.repository import RepoSuite


def refuse_changed_packages(wanted: Sequence[Published], old: Contents) -> None:
    """Raise FilesRefused if the suite has a name and version with other bytes or elsewhere."""
    known = {package.identity: package for package in old.packages}
    problems = [
        f"{package} is already in the suite, as {known[package.identity].files[0].path}"
        ": a changed package needs a new version"
        for package in wanted
        if package.identity in known and known[package.identity].files != package.files
    ]
    if problems:
        raise FilesRefused(problems)


def add_packages(
    old: Contents, wanted: Sequence[Published], suite: RepoSuite, *, downgrade: bool
) -> Contents:
    """The list with these packages added.

    If the suite has newer versions, `downgrade` removes them; without it UsageError is raised,
    because clients would have to go back.
    """
    newer_versions = {}
    known = {package.identity for package in old.packages}
    for package in wanted:
        # A package that is listed already takes no client back. This is so if you repeat a publish
        # of two versions that was killed.
        if not downgrade and package.identity in known:
            continue
        if newer := old.newer(package):
            newer_versions[package] = newer
    if newer_versions and not downgrade:
        listed = "".join(
            f"\n  {package}: the suite has {newer[-1].version} for {newer[-1].architecture}"
            for package, newer in newer_versions.items()
        )
        raise UsageError(
            f"{suite.name} would go back to an older version:{listed}",
            hint="--downgrade removes the newer versions from the suite, for all architectures",
        )
    removed = (package for newer in newer_versions.values() for package in newer)
    return old.without(removed).with_packages(wanted)


def select_packages(
    contents: Contents, name: str, version: str | None, suite: str
) -> list[Published]:
    """The packages of a name and version, by default the newest; UsageError if there is none."""
    versions = {package.version for package in contents.named(name)}
    if not versions:
        raise UsageError(f"{suite} has no package {name}", hint=f"hadeb repo list {suite}")
    if version is None:
        version = max(versions, key=version_key)
    if version not in versions:
        listed = ", ".join(sorted(versions, key=version_key))
        raise UsageError(f"{suite} has no {name} {version}", hint=f"it has {listed}")
    return contents.named(name, version)
