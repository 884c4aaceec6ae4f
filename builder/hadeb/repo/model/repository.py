# SPDX-License-Identifier: Apache-2.0
"""A repository: its names, its keys and its suites. Pure values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from hadeb.errors import HadebError, UsageError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RepoSuite:
    """A suite: the fields of its Release, and how many days a signature stays valid.

    apt refuses a Release whose Origin, Label or Codename has changed, so they never change
    (apt-secure(8)). `valid_days` is 0 if a signature has no end.
    """

    name: str
    codename: str
    components: tuple[str, ...] = ("main",)
    architectures: tuple[str, ...] = ("amd64",)
    valid_days: int = 0


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository. `name` is used in file names; `keys` are fingerprints, in the order of use.

    `url` is where clients find it, `former_urls` where they found it before. `keyring_version`
    counts the sets of keys that clients got; `keyring_digest` identifies the last one, and
    `keyring_time` is its time in seconds since 1970.
    """

    name: str
    origin: str
    label: str
    url: str
    keys: tuple[str, ...]
    keyring_version: int = 0
    keyring_digest: str = ""
    keyring_time: int = 0
    former_urls: tuple[str, ...] = ()
    suites: tuple[RepoSuite, ...] = ()

    def suite(self, name: str) -> RepoSuite:
        """The suite of that name; UsageError if there is none."""
        for suite in self.suites:
            if suite.name == name:
                return suite
        known = ", ".join(suite.name for suite in self.suites) or "none yet"
        raise UsageError(
            f"there is no suite {name} in this repository",
            hint=f"its suites: {known}; hadeb publish --suite {name} creates it",
        )

    def with_suite(self, suite: RepoSuite) -> Self:
        """The repository with this suite added, or replaced if it has one of that name."""
        others = [known for known in self.suites if known.name != suite.name]
        ordered = sorted([*others, suite], key=lambda each: each.name)
        return dataclasses.replace(self, suites=tuple(ordered))

    def write(self) -> str:
        """The repository as JSON."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2) + "\n"


def read_repository(text: str, file: str) -> Repository:
    """Parse what `Repository.write` wrote; HadebError if it is damaged or of another format."""
    try:
        fields: dict[str, Any] = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise HadebError(
                f"{file} has the format of another release of hadeb",
                hint="use that release or a newer one",
            )
        suites = tuple(_read_suite(suite) for suite in fields.pop("suites"))
        listed = {name: tuple(fields[name]) for name in ("keys", "former_urls")}
        return Repository(**{**fields, **listed, "suites": suites})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HadebError(
            f"{file} is damaged: {error}", hint="restore it from a copy of the repository"
        ) from error


def _read_suite(fields: Mapping[str, Any]) -> RepoSuite:
    listed = {name: tuple(fields[name]) for name in ("components", "architectures")}
    return RepoSuite(**{**fields, **listed})
