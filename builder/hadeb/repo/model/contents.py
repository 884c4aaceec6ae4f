# SPDX-License-Identifier: Apache-2.0
"""The contents of a suite: its list of packages, and how two lists differ. Pure values."""

from __future__ import annotations

import dataclasses
import re
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from hadeb.debian.version import version_key

SOURCE = "source"
_REBUILD = re.compile(r"\+b[0-9]+$")


# These are tuples because there are tens of thousands of them: creating a frozen dataclass takes
# five times as long (tests/bench/repo_bench.py).
class PoolFile(NamedTuple):
    """A file in the pool. `path` is relative to the repository; `size` is in bytes."""

    path: str
    size: int
    sha256: str


class Published(NamedTuple):
    """A package in a suite. `architecture` is `source` for a source package.

    `stanza` is its entry in the index as apt-ftparchive wrote it, with its path in the pool and
    without a final newline. `phase` is the percentage of machines that may upgrade to it, 100 for
    all. A binary package has one file, a source package several.
    """

    component: str
    name: str
    version: str
    architecture: str
    stanza: str
    files: tuple[PoolFile, ...]
    phase: int = 100

    @property
    def identity(self) -> tuple[str, str, str]:
        """Two different packages must not have the same identity."""
        return self.name, self.version, self.architecture

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, slots=True)
class Contents:
    """The packages of a suite, sorted by component, name, version and architecture."""

    packages: tuple[Published, ...] = ()

    def indexed(self, component: str, architecture: str) -> list[Published]:
        """The packages of an index; a binary index also has those of architecture `all`."""
        fits = {architecture} if architecture == SOURCE else {architecture, "all"}
        return [
            package
            for package in self.packages
            if package.component == component and package.architecture in fits
        ]

    def with_packages(self, added: Iterable[Published]) -> Self:
        """The list with these packages; each replaces the package with the same identity."""
        new = {package.identity: package for package in added}
        packages = list(self.without(new.values()).packages)
        # Inserting a few packages is faster than sorting all.
        if len(new) < len(packages) // 100:
            for package in new.values():
                insort(packages, package, key=_place)
        else:
            packages = sorted([*packages, *new.values()], key=_place)
        return dataclasses.replace(self, packages=tuple(packages))

    def without(self, removed: Iterable[Published]) -> Self:
        """The list without these packages."""
        gone = {package.identity for package in removed}
        names = {name for name, _, _ in gone}
        left = tuple(
            package
            for package in self.packages
            if package.name not in names or package.identity not in gone
        )
        return dataclasses.replace(self, packages=left)

    def named(self, name: str, version: str | None = None) -> list[Published]:
        """All packages of a name, or those of one version."""
        return [
            package
            for package in self.packages
            if package.name == name and (version is None or package.version == version)
        ]

    def newer(self, package: Published) -> list[Published]:
        """The packages of the same name with a newer version, for any architecture, newest last.

        Source packages are compared with source packages only. A rebuild for another architecture
        (+bN) does not count as newer than the version it was built from.
        """
        key = version_key(package.version)
        newer = [
            other
            for other in self.named(package.name)
            if (other.architecture == SOURCE) == (package.architecture == SOURCE)
            and version_key(_compared(other, package)) > key
        ]
        return sorted(newer, key=lambda other: version_key(other.version))


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new list adds and removes; `phased` are packages with a new percentage."""

    added: tuple[Published, ...]
    removed: tuple[Published, ...]
    phased: tuple[Published, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.phased)

    def lines(self) -> list[str]:
        """A line for each package: `+ name version architecture`, or `-` for a removed one."""
        return [
            *(f"+ {package}{_share(package)}" for package in self.added),
            *(f"- {package}" for package in self.removed),
            *(f"~ {package}, for {package.phase} % of machines" for package in self.phased),
        ]


def difference(old: Contents, new: Contents) -> Difference:
    """Compare two lists. A package with other files counts as removed and added."""
    before, after = _by_files(old, {*new.packages}), _by_files(new, {*old.packages})
    return Difference(
        added=tuple(package for key, package in after.items() if key not in before),
        removed=tuple(package for key, package in before.items() if key not in after),
        phased=tuple(
            package
            for key, package in after.items()
            if key in before and before[key].phase != package.phase
        ),
    )


def _by_files(contents: Contents, others: set[Published]) -> dict[object, Published]:
    """The packages that are not among the others, by what a difference compares."""
    return {
        (package.identity, package.component, package.files): package
        for package in contents.packages
        if package not in others
    }


def _compared(other: Published, package: Published) -> str:
    same = other.architecture == package.architecture
    return other.version if same else _REBUILD.sub("", other.version)


def _share(package: Published) -> str:
    return "" if package.phase == 100 else f", for {package.phase} % of machines"


def _place(package: Published) -> tuple[str, str, object, str]:
    return package.component, package.name, version_key(package.version), package.architecture
