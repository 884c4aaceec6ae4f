# SPDX-License-Identifier: Apache-2.0
"""The package value: what a bundle becomes, plain and immutable. Pure.

`plan` makes it and `deb` writes it. Paths are relative to the root, without a leading slash:
`usr/bin/greeterd`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hadeb.debian.version import without_epoch

ScriptName = Literal["preinst", "postinst", "prerm", "postrm"]


@dataclass(frozen=True, slots=True)
class File:
    """A regular file, owned by root."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


Entry = File | Link


@dataclass(frozen=True, slots=True)
class Script:
    """A maintainer script (Debian Policy 6)."""

    name: ScriptName
    text: str


@dataclass(frozen=True, slots=True)
class Package:
    """A binary package. `control` is in the order of the file; `entries` are sorted by path.

    `timestamp` is the time of every file in the archive, in seconds since 1970.
    """

    control: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    conffiles: tuple[str, ...]
    scripts: tuple[Script, ...]
    timestamp: int

    def field(self, name: str) -> str:
        """The value of a control field that every package has."""
        return dict(self.control)[name]

    @property
    def name(self) -> str:
        return self.field("Package")

    @property
    def version(self) -> str:
        return self.field("Version")

    @property
    def architecture(self) -> str:
        return self.field("Architecture")

    @property
    def file_name(self) -> str:
        """NAME_VERSION_ARCH.deb, the version without its epoch, as dpkg names it."""
        return f"{self.name}_{without_epoch(self.version)}_{self.architecture}.deb"

    def directories(self) -> tuple[str, ...]:
        """Every directory that an entry needs, parents first."""
        directories: set[str] = set()
        for entry in self.entries:
            parts = entry.path.split("/")[:-1]
            directories.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
        return tuple(sorted(directories))
