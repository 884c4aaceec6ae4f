# SPDX-License-Identifier: Apache-2.0
"""What a throw-away apt takes for installed, so that a package's dependencies can be tried.

A suite's packages depend on Debian's, which the repository does not have. Whatever no package of
the suite satisfies is taken for installed, in a version that fits; what the suite has must fit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from hadeb.repo.contents import SOURCE, Published
from hadeb.repo.version import version_key

_RELATION = re.compile(
    r"""\s* (?P<name>[a-z0-9][a-z0-9+.-]*) (:[a-z0-9-]+)? \s*
    (\( \s* (?P<relation><<|<=|=|>=|>>) \s* (?P<version>[^\s)]+) \s* \))?""",
    re.VERBOSE,
)
_NEWEST = "9999:0"


def field(stanza: str, name: str) -> str:
    """A field of a stanza on one line, empty where it has none."""
    found = re.search(rf"^{name}:(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE | re.IGNORECASE)
    return " ".join(found.group(1).split()) if found else ""


def stand_ins(new: Iterable[Published], suite: Iterable[Published]) -> dict[str, str]:
    """Name and version of what is to be taken for installed, for these packages' sake."""
    wanted = [group for one in new for group in _groups(one.stanza)]
    offered = _offered(suite) if wanted else {}
    found: dict[str, str] = {}
    for group in wanted:
        alternatives = [match for word in group.split("|") if (match := _RELATION.match(word))]
        if alternatives and not any(_is_offered(each, offered) for each in alternatives):
            first = alternatives[0]
            found[first["name"]] = _fitting(first["relation"], first["version"])
    return found


def _groups(stanza: str) -> Iterator[str]:
    for name in ("Pre-Depends", "Depends"):
        yield from filter(None, field(stanza, name).split(","))


def _offered(suite: Iterable[Published]) -> dict[str, set[str]]:
    """The versions of each name that the suite has; an empty one for a name without a version."""
    offered = defaultdict[str, set[str]](set)
    for one in suite:
        if one.architecture == SOURCE:
            continue
        offered[one.name].add(one.version)
        if "\nProvides:" in one.stanza:
            for word in field(one.stanza, "Provides").split(","):
                if match := _RELATION.match(word):
                    offered[match["name"]].add(match["version"] or "")
    return offered


def _is_offered(wanted: re.Match[str], offered: dict[str, set[str]]) -> bool:
    relation, version = wanted["relation"], wanted["version"]
    return any(
        not relation or (bool(have) and _fits(have, relation, version))
        for have in offered.get(wanted["name"], ())
    )


def _fits(have: str, relation: str, version: str) -> bool:
    left, right = version_key(have), version_key(version)
    return {
        "<<": left < right,
        "<=": left <= right,
        "=": left == right,
        ">=": left >= right,
        ">>": left > right,
    }[relation]


def _fitting(relation: str | None, version: str | None) -> str:
    if not relation or not version or relation.startswith(">"):
        return _NEWEST
    return f"{version}~" if relation == "<<" else version
