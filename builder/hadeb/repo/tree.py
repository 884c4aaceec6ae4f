# SPDX-License-Identifier: Apache-2.0
"""Where everything is in a repository on disk, and which generation of a suite is in force.

.hadeb/repository.json       names, keys, suites
.hadeb/history/SUITE/N.json  who did what, also of generations that are pruned
dists/SUITE                  a link to the generation in force
dists/.generations/SUITE/N   a generation, which never changes
pool/COMPONENT/P/SOURCE/     packages, which never change
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.repo import durable

_GENERATIONS = ".generations"


@dataclass(frozen=True, slots=True)
class Tree:
    """A repository's directory."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / ".hadeb"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def repository(self) -> Path:
        return self.state / "repository.json"

    @property
    def incoming(self) -> Path:
        return self.state / "incoming"

    @property
    def dists(self) -> Path:
        return self.root / "dists"

    def history(self, suite: str) -> Path:
        return self.state / "history" / suite

    def generations(self, suite: str) -> Path:
        return self.dists / _GENERATIONS / suite

    def generation(self, suite: str, number: int) -> Path:
        return self.generations(suite) / str(number)

    def current(self, suite: str) -> int:
        """The number of the generation that clients get; 0 where there is none yet.

        HadebError where the link to it is lost: what is newer than the generation in force is
        cleared away, and that must not be all of them.
        """
        link = self.dists / suite
        numbers = self.numbers(suite)
        try:
            number = int(link.readlink().name)
        except FileNotFoundError:
            # Before the first switch there is one at most.
            if not numbers or numbers == [1]:
                return 0
        except (OSError, ValueError):
            pass
        else:
            if number in numbers:
                return number
        raise HadebError(
            f"{link} is no link to a generation of {suite}, as it was",
            hint=f"make it one again: ln -sfn {_GENERATIONS}/{suite}/N {link}, with the last of "
            f"{', '.join(map(str, numbers)) or 'a copy of the repository'} for N",
        )

    def numbers(self, suite: str) -> list[int]:
        """The generations that are there, oldest first."""
        try:
            names = os.listdir(self.generations(suite))
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isdigit())

    def make(self, suite: str) -> None:
        """Make the directories that a suite needs."""
        for directory in (self.generations(suite), self.root / "pool"):
            durable.make_directory(directory)
        for directory in (self.history(suite), self.incoming):
            durable.make_directory(directory, 0o770)

    def switch(self, suite: str, number: int) -> None:
        """Put a generation in force."""
        durable.point(self.dists / suite, f"{_GENERATIONS}/{suite}/{number}")

    def clear_unfinished(self, suite: str) -> None:
        """Remove what a command that was killed before its switch has left; wants the lock."""
        current = self.current(suite)
        for path in self.generations(suite).glob("*"):
            if not path.name.isdigit() or int(path.name) > current:
                shutil.rmtree(path)
        for record in self.history(suite).glob("*.json"):
            if record.stem.isdigit() and int(record.stem) > current:
                record.unlink()
        if self.incoming.is_dir():
            for path in self.incoming.iterdir():
                shutil.rmtree(path)
        for directory in (self.root, self.dists, self.state, self.history(suite)):
            for path in directory.glob(f"{durable.UNFINISHED}*"):
                path.unlink()
