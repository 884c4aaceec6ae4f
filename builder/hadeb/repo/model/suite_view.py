# SPDX-License-Identifier: Apache-2.0
"""A published suite as the pages show it. Pure values."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from hadeb.repo.model.contents import SOURCE, Contents
from hadeb.repo.model.repository import RepoSuite

_MAIN = "stable"


@dataclass(frozen=True, slots=True)
class SuiteView:
    """A suite and the generation that clients get: its packages, and when it was signed.

    `valid_until` is None where the signature does not run out.
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
        """A package that a client may install; a word that stands for one where there is none."""
        fits = [
            package
            for package in self.contents.packages
            if package.architecture != SOURCE and not package.name.endswith("-archive-keyring")
        ]
        first = self.suite.components[:1]
        found = min(fits, key=lambda package: (package.component,) != first, default=None)
        return found.name if found else "PACKAGE"


def main_suite(suites: Sequence[SuiteView]) -> SuiteView:
    """The suite that a client follows unless told otherwise: stable, or else the first."""
    return next((view for view in suites if view.name == _MAIN), suites[0])
