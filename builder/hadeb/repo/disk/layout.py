# SPDX-License-Identifier: Apache-2.0
"""The paths in a repository on disk, and which generation of a suite is current.

.hadeb/repository.json       names, keys, suites
.hadeb/placed                files that hadeb put into the pool since the last prune
.hadeb/history/SUITE/N.json  who did what, including pruned generations
dists/SUITE                  a link to the current generation
dists/.generations/SUITE/N   a generation, which never changes
pool/COMPONENT/P/SOURCE/     packages, which never change
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files import atomic

_GENERATIONS = ".generations"
_NUMBER = re.compile("[1-9][0-9]*")
# The prefix of a staging directory in `Tree.incoming`.
STAGED = "hadeb-incoming-"


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

    @property
    def owned_files(self) -> Path:
        # The name is a format on users' disks, so it stays.
        return self.state / "placed"

    def history(self, suite: str) -> Path:
        return self.state / "history" / suite

    def rollback_mark(self, suite: str, number: int) -> Path:
        """A mark that exists until the rollback that made this generation is complete."""
        return self.history(suite) / f"{number}.rollback"

    def generations(self, suite: str) -> Path:
        return self.dists / _GENERATIONS / suite

    def generation(self, suite: str, number: int) -> Path:
        return self.generations(suite) / str(number)

    def current(self, suite: str) -> int:
        """The number of the generation that clients get; 0 if there is none yet.

        If the link is missing and there is only one generation, it is that one: it lost its link,
        or the command that made it was killed before the first switch. HadebError if there are
        several, since a command removes those that are newer than the current one.
        """
        link = self.dists / suite
        numbers = self.numbers(suite)
        try:
            number = int(link.readlink().name)
        except FileNotFoundError:
            if len(numbers) <= 1:
                return numbers[0] if numbers else 0
        except (OSError, ValueError):
            pass
        else:
            if number in numbers:
                return number
        raise HadebError(
            f"{link} is no longer a link to a generation of {suite}",
            hint=f"restore it: ln -sfn {_GENERATIONS}/{suite}/N {link}, with the last of "
            f"{', '.join(map(str, numbers)) or 'a copy of the repository'} for N",
        )

    def numbers(self, suite: str) -> list[int]:
        """The existing generations, oldest first."""
        try:
            with os.scandir(self.generations(suite)) as entries:
                # Ignore anything else that somebody put there.
                return sorted(
                    int(entry.name)
                    for entry in entries
                    if _NUMBER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
                )
        except FileNotFoundError:
            return []

    def make(self, suite: str) -> None:
        """Create the directories that a suite needs."""
        for directory in (self.generations(suite), self.root / "pool"):
            atomic.make_directory(directory)
        for directory in (self.history(suite), self.incoming):
            atomic.make_directory(directory, 0o770)

    def switch(self, suite: str, number: int) -> None:
        """Put a generation in force: clients get it from now on."""
        atomic.point(self.dists / suite, f"{_GENERATIONS}/{suite}/{number}")

    def clear_unfinished(self, suite: str) -> None:
        """Remove the leftovers of a command that was killed before its switch; needs the lock.

        Only files with a name that hadeb gives are removed.
        """
        current = self.current(suite)
        if current and not (self.dists / suite).is_symlink():
            self.switch(suite, current)
        self._clear_generations(suite, current)
        for record in self.history(suite).glob("*.json"):
            if record.stem.isdigit() and int(record.stem) > current:
                record.unlink()
        for mark in self.history(suite).glob("*.rollback"):
            if mark != self.rollback_mark(suite, current):
                mark.unlink()
        for path in self.incoming.glob(f"{STAGED}*"):
            shutil.rmtree(path)
        for directory in (self.root, self.dists, self.state, self.history(suite)):
            for path in directory.glob(f"{atomic.UNFINISHED}*"):
                path.unlink()

    def _clear_generations(self, suite: str, current: int) -> None:
        generations = self.generations(suite)
        newer = [generations / str(number) for number in self.numbers(suite) if number > current]
        for path in (*newer, *generations.glob(f"{atomic.UNFINISHED}*")):
            shutil.rmtree(path)
        if os.path.lexists(place := self.generation(suite, current + 1)):
            raise HadebError(f"{place} is in the way of the next generation", hint="move it away")
