# SPDX-License-Identifier: Apache-2.0
"""index.html: what is in a repository, and the commands that a client types. Pure.

People copy the commands and a test runs them: each is the text of a `pre` element with an id, such
as `add-stable`.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hadeb.debian.version import version_key
from hadeb.repo.model.contents import Published
from hadeb.repo.model.keys import Key, PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.model.suite_view import SuiteView, main_suite
from hadeb.repo.site.sources import address, keyring_name, preferences
from hadeb.repo.site.template import render

# Lines of a suite's table. More would not help a reader, and would slow down every publish.
LONGEST_TABLE = 400


@dataclass(frozen=True, slots=True)
class _Version:
    """A version in the table; `size` is for people to read."""

    version: str
    architecture: str
    size: str
    phase: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A package in the table. `component` is empty if the suite has only one."""

    name: str
    component: str
    versions: Sequence[_Version]
    older: int


@dataclass(frozen=True, slots=True)
class _Suite:
    """A suite's section. `unlisted` counts the packages that the table leaves out."""

    name: str
    is_main: bool
    facts: Sequence[tuple[str, object]]
    rows: Sequence[_Row]
    unlisted: int
    example: str
    stanza: str
    sha256: str
    preferences: str


@dataclass(frozen=True, slots=True)
class _ShownKey:
    """A key; the fingerprint is in groups of four digits."""

    fingerprint: str
    user_id: str
    expiry: str


def index_page(
    repository: Repository,
    keys: PublicKeys,
    suites: Sequence[SuiteView],
    stanzas: Mapping[str, str],
) -> str:
    """The page. `stanzas` are the suites' .sources by name."""
    main = main_suite(suites) if suites else None
    ordered = sorted(suites, key=lambda view: (view is not main, view.name))
    return render(
        "site/index.html.j2",
        name=repository.name,
        label=repository.label,
        origin=repository.origin,
        url=address(repository),
        keyring=keyring_name(repository),
        suites=[_suite(repository, view, stanzas[view.name], view is main) for view in ordered],
        keys=[_shown_key(key) for key in keys.keys],
        key_end=keys.keys[0].fingerprint[-8:] if keys.keys else "",
    )


def _suite(repository: Repository, view: SuiteView, stanza: str, is_main: bool) -> _Suite:
    suite = view.suite
    rows, unlisted = _rows(view)
    return _Suite(
        name=view.name,
        is_main=is_main,
        facts=[
            ("Generation", view.generation),
            ("Published", _moment(view.date)),
            ("Valid until", _moment(view.valid_until) if view.valid_until else "no end"),
            ("Codename", suite.codename),
            ("Components", ", ".join(suite.components)),
            ("Architectures", ", ".join(suite.architectures)),
        ],
        rows=rows,
        unlisted=unlisted,
        example=view.example,
        stanza=stanza,
        sha256=hashlib.sha256(stanza.encode()).hexdigest(),
        preferences=preferences(repository, suite),
    )


def _rows(view: SuiteView) -> tuple[list[_Row], int]:
    """The rows of the table, and how many packages it leaves out."""
    several = len(view.suite.components) > 1
    rows: list[_Row] = []
    left, unlisted = LONGEST_TABLE, 0
    for (component, name), group in itertools.groupby(
        view.contents.packages, key=lambda package: (package.component, package.name)
    ):
        if left <= 0:
            unlisted += 1
            continue
        versions = sorted(group, key=lambda package: version_key(package.version), reverse=True)
        shown = [_version(package) for package in versions[:left]]
        rows.append(_Row(name, component if several else "", shown, len(versions) - len(shown)))
        left -= len(versions)
    return rows, unlisted


def _version(package: Published) -> _Version:
    size = _size(sum(file.size for file in package.files))
    return _Version(package.version, package.architecture, size, package.phase)


def _shown_key(key: Key) -> _ShownKey:
    groups = [key.fingerprint[start : start + 4] for start in range(0, len(key.fingerprint), 4)]
    expiry = f"valid until {key.expires:%Y-%m-%d}" if key.expires else "does not expire"
    return _ShownKey(" ".join(groups), key.user_id, expiry)


def _moment(time: datetime.datetime) -> str:
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M}\N{NO-BREAK SPACE}UTC"


def _size(size: int) -> str:
    """A size in bytes as people read it."""
    return next(_sizes(size))


def _sizes(size: int) -> Iterator[str]:
    if size < 1000:
        yield f"{size} B"
    amount = float(size)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            yield f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"
    yield f"{amount:.0f} GB"
