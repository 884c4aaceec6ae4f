# SPDX-License-Identifier: Apache-2.0
"""What a repository is and holds, for people and for programs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from hadeb.repo.generation import contents_in_force
from hadeb.repo.history import changes
from hadeb.repo.identity import Repository
from hadeb.repo.opening import open_repository
from hadeb.repo.tree import Tree


@dataclass(frozen=True, slots=True)
class SuiteStatus:
    """A suite: how many packages, and what the last change was, None before the first."""

    name: str
    codename: str
    architectures: tuple[str, ...]
    components: tuple[str, ...]
    packages: int
    generation: int
    generations: int
    last: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """A repository and its suites."""

    repository: Repository
    suites: tuple[SuiteStatus, ...]

    def as_json(self) -> dict[str, object]:
        fields = dataclasses.asdict(self.repository)
        return {**fields, "suites": [dataclasses.asdict(suite) for suite in self.suites]}

    def text(self) -> str:
        lines = [
            f"{self.repository.name}: {self.repository.origin}, {self.repository.url}",
            *(f"signed by {key}" for key in self.repository.keys),
        ]
        for suite in self.suites:
            lines.append(
                f"{suite.name}: {suite.packages} packages for {', '.join(suite.architectures)}, "
                f"generation {suite.generation} of {suite.generations} kept"
            )
            if suite.last:
                lines.append(f"  {suite.last}")
        return "\n".join(lines)


def status(tree: Tree) -> Status:
    """What the repository is, by what is in force."""
    repository = open_repository(tree)
    suites = []
    for suite in repository.suites:
        records = changes(tree, suite.name)
        suites.append(
            SuiteStatus(
                name=suite.name,
                codename=suite.codename,
                architectures=suite.architectures,
                components=suite.components,
                packages=len(contents_in_force(tree, suite).packages),
                generation=tree.current(suite.name),
                generations=len(tree.numbers(suite.name)),
                last=str(records[-1]).strip() if records else None,
            )
        )
    return Status(repository, tuple(suites))


def listed(tree: Tree, suite_name: str | None) -> list[dict[str, object]]:
    """A row a package, of one suite or of all."""
    repository = open_repository(tree)
    suites = [repository.suite(suite_name)] if suite_name else repository.suites
    return [
        {
            "suite": suite.name,
            "component": one.component,
            "package": one.name,
            "version": one.version,
            "architecture": one.architecture,
            "phase": one.phase,
            "files": [file._asdict() for file in one.files],
        }
        for suite in suites
        for one in contents_in_force(tree, suite).packages
    ]
