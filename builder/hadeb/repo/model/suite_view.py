# SPDX-License-Identifier: Apache-2.0
"""A published suite, as the pages show it. Pure values."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from hadeb.repo.model.contents import SOURCE, Contents
from hadeb.repo.model.repository import RepoSuite

_MAIN = "stable"


@dataclass(frozen=True, slots=True)
class SuiteView:
    """A suite and its current generation: its packages, and when it was signed.

    `valid_until` is None if the signature has no end.
    """

    suite: RepoSuite
    contents: Contents
    generation: int
    date: datetime.datetime
    valid_until: datetime.datetime | None = None

    @property
    def name(self) -> str:
        return self.suite.name

    @property
    def example(self) -> str:
        """The name of a package that a client may install, or PACKAGE if there is none."""
        fits = [
            package
            for package in self.contents.packages
            if package.architecture != SOURCE and not package.name.endswith("-archive-keyring")
        ]
        first = self.suite.components[:1]
        example = min(fits, key=lambda package: (package.component,) != first, default=None)
        return example.name if example else "PACKAGE"


def main_suite(suites: Sequence[SuiteView]) -> SuiteView:
    """The suite that clients follow by default: stable, or else the first."""
    return next((view for view in suites if view.name == _MAIN), suites[0])
