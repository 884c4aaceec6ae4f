# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo status` and `hadeb repo list`: what a repository is and holds."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.errors import HadebError
from hadeb.repo.disk.generation import contents_in_force, date_of, valid_until
from hadeb.repo.disk.history import changes
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.signing.keychain import read_keys
from hadeb.repo.site.sources import keyring_name


@dataclass(frozen=True, slots=True)
class SuiteStatus:
    """A suite: its number of packages, and its last change, None before the first.

    `packages` is None if the current generation is damaged; `damage` says how. If a signature has
    no end, `valid_days` is 0 and `valid_until` is None.
    """

    name: str
    codename: str
    architectures: tuple[str, ...]
    components: tuple[str, ...]
    packages: int | None
    damage: str | None
    valid_days: int
    valid_until: datetime.datetime | None
    generation: int
    generations: int
    last: str | None

    def lines(self) -> Iterator[str]:
        held = "damaged" if self.packages is None else f"{self.packages} packages"
        yield (
            f"{self.name}: {held} for {', '.join(self.architectures)}, "
            f"generation {self.generation} of {self.generations} kept"
        )
        if self.damage:
            yield f"  {self.damage}"
        if self.valid_until:
            yield f"  valid for {self.valid_days} days, until {self.valid_until:%Y-%m-%d %H:%M} UTC"
        if self.last:
            yield f"  {self.last}"


@dataclass(frozen=True, slots=True)
class Status:
    """A repository and its suites.

    `key_ends` is when each key expires: a date, "never", or None if that is unknown.
    """

    repository: Repository
    key_ends: dict[str, str | None]
    suites: tuple[SuiteStatus, ...]

    def as_json(self) -> dict[str, object]:
        fields = dataclasses.asdict(self.repository)
        suites = [dataclasses.asdict(suite) for suite in self.suites]
        return {**fields, "key_ends": self.key_ends, "suites": suites}

    def text(self) -> str:
        ends = dict.fromkeys(self.repository.keys, "expiry unknown")
        ends |= {
            key: "which does not expire" if end == "never" else f"until {end}"
            for key, end in self.key_ends.items()
            if end
        }
        lines = [
            f"{self.repository.name}: {self.repository.origin}, {self.repository.url}",
            *(f"signed by {key}, {ends[key]}" for key in self.repository.keys),
            *(line for suite in self.suites for line in suite.lines()),
        ]
        return "\n".join(lines)


def status(tree: Tree) -> Status:
    """The status of the repository, from its current generations."""
    repository = open_repository(tree)
    suites = tuple(_suite_status(tree, suite) for suite in repository.suites)
    return Status(repository, _key_ends(tree, repository), suites)


def _suite_status(tree: Tree, suite: RepoSuite) -> SuiteStatus:
    packages: int | None = None
    damage = None
    generation = 0
    try:
        generation = tree.current(suite.name)
        packages = len(contents_in_force(tree, suite).packages)
    except HadebError as error:
        damage = f"{error.message}; {error.hint}"
    date = date_of(tree, suite, generation)
    records = changes(tree, suite.name) if generation else []
    return SuiteStatus(
        name=suite.name,
        codename=suite.codename,
        architectures=suite.architectures,
        components=suite.components,
        packages=packages,
        damage=damage,
        valid_days=suite.valid_days,
        valid_until=valid_until(suite, date) if date and suite.valid_days else None,
        generation=generation,
        generations=len(tree.numbers(suite.name)),
        last=str(records[-1]).strip() if records else None,
    )


def _key_ends(tree: Tree, repository: Repository) -> dict[str, str | None]:
    """When the keys that clients get expire; this needs no secret keys, and works without gpg."""
    ends: dict[str, str | None] = dict.fromkeys(repository.keys)
    try:
        keys = read_keys((tree.root / f"{keyring_name(repository)}.pgp").read_bytes()).keys
    except (OSError, HadebError):
        keys = ()
    for key in keys:
        if key.fingerprint in ends:
            ends[key.fingerprint] = f"{key.expires:%Y-%m-%d}" if key.expires else "never"
    return ends


def listed(tree: Tree, suite_name: str | None) -> list[dict[str, object]]:
    """A row for each package, of one suite or of all."""
    repository = open_repository(tree)
    suites = [repository.suite(suite_name)] if suite_name else repository.suites
    return [
        {
            "suite": suite.name,
            "component": package.component,
            "package": package.name,
            "version": package.version,
            "architecture": package.architecture,
            "phase": package.phase,
            "files": [file._asdict() for file in package.files],
        }
        for suite in suites
        for package in contents_in_force(tree, suite).packages
    ]
