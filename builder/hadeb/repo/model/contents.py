# SPDX-License-Identifier: Apache-2.0
"""What is in a suite: a list of packages, and how it changes. Pure values."""

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


# Tuples, since there are tens of thousands of them: a frozen dataclass takes five times as long
# to make.
class PoolFile(NamedTuple):
    """A file of the pool. `path` is below the repository; `size` in bytes, `sha256` in hex."""

    path: str
    size: int
    sha256: str


class Published(NamedTuple):
    """A package in a suite. `architecture` is `source` for a source package.

    `stanza` is what the index says of it, as apt-ftparchive wrote it, with its place in the pool;
    without a newline at its end. `phase` is the percentage of machines that may upgrade to it,
    100 for all. A binary package has one file, a source package several.
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
        """What two different files must not share."""
        return self.name, self.version, self.architecture

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, slots=True)
class Contents:
    """The packages of a suite, sorted by component, name, version and architecture."""

    packages: tuple[Published, ...] = ()

    def indexed(self, component: str, architecture: str) -> list[Published]:
        """What one index lists: a binary index has the packages of all architectures, too."""
        fits = {architecture} if architecture == SOURCE else {architecture, "all"}
        return [
            package
            for package in self.packages
            if package.component == component and package.architecture in fits
        ]

    def with_packages(self, added: Iterable[Published]) -> Self:
        """The list with these in it, each in place of the one with its identity."""
        new = {package.identity: package for package in added}
        packages = list(self.without(new.values()).packages)
        # To look for a few places among many is quicker than to sort all.
        if len(new) < len(packages) // 100:
            for package in new.values():
                insort(packages, package, key=_place)
        else:
            packages = sorted([*packages, *new.values()], key=_place)
        return dataclasses.replace(self, packages=tuple(packages))

    def without(self, removed: Iterable[Published]) -> Self:
        """The list without these."""
        gone = {package.identity for package in removed}
        names = {name for name, _, _ in gone}
        left = tuple(
            package
            for package in self.packages
            if package.name not in names or package.identity not in gone
        )
        return dataclasses.replace(self, packages=left)

    def named(self, name: str, version: str | None = None) -> list[Published]:
        """All packages of a name, or of one version of it."""
        return [
            package
            for package in self.packages
            if package.name == name and (version is None or package.version == version)
        ]

    def newer(self, package: Published) -> list[Published]:
        """What a suite has under a package's name that is newer, for whatever architecture.

        The newest is the last. Sources have versions of their own; and a rebuild for another
        architecture alone (+bN) makes nothing newer than what it was built from.
        """
        key = version_key(package.version)
        found = [
            other
            for other in self.named(package.name)
            if (other.architecture == SOURCE) == (package.architecture == SOURCE)
            and version_key(_compared(other, package)) > key
        ]
        return sorted(found, key=lambda other: version_key(other.version))


@dataclass(frozen=True, slots=True)
class Difference:
    """What one list has that another has not; `phased` are those with another percentage."""

    added: tuple[Published, ...]
    removed: tuple[Published, ...]
    phased: tuple[Published, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.phased)

    def lines(self) -> list[str]:
        """A line a package: `+ name version architecture`, `-` for one that goes."""
        return [
            *(f"+ {package}{_share(package)}" for package in self.added),
            *(f"- {package}" for package in self.removed),
            *(f"~ {package}, for {package.phase} % of machines" for package in self.phased),
        ]


def difference(old: Contents, new: Contents) -> Difference:
    """What changes from one list to the other; another file under one name goes and comes."""
    # Most are the same object in both.
    common = {id(package) for package in old.packages} & {id(package) for package in new.packages}
    old, new = _but(old, common), _but(new, common)
    before = {
        (package.identity, package.component, package.files): package for package in old.packages
    }
    after = {
        (package.identity, package.component, package.files): package for package in new.packages
    }
    return Difference(
        added=tuple(package for key, package in after.items() if key not in before),
        removed=tuple(package for key, package in before.items() if key not in after),
        phased=tuple(
            package
            for key, package in after.items()
            if key in before and before[key].phase != package.phase
        ),
    )


def _but(contents: Contents, common: set[int]) -> Contents:
    return Contents(tuple(package for package in contents.packages if id(package) not in common))


def _compared(other: Published, package: Published) -> str:
    same = other.architecture == package.architecture
    return other.version if same else _REBUILD.sub("", other.version)


def _share(package: Published) -> str:
    return "" if package.phase == 100 else f", for {package.phase} % of machines"


def _place(package: Published) -> tuple[str, str, object, str]:
    return package.component, package.name, version_key(package.version), package.architecture
