# SPDX-License-Identifier: Apache-2.0
"""What a throw-away apt takes for installed, so that a package's dependencies can be tried.

A suite's packages depend on Debian's, which the repository does not have. What the suite has no
package of is taken for installed, in a version that fits all that is said of it. A name that the
suite has gets no stand-in: where its version does not fit, apt is to say so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hadeb.debian.version import version_key
from hadeb.errors import HadebError
from hadeb.repo.model.contents import Published

_RELATION = re.compile(
    r"""\s* (?P<name>[a-z0-9][a-z0-9+.-]*) (:[a-z0-9-]+)? \s*
    (\( \s* (?P<relation><<|<=|=|>=|>>|<|>) \s* (?P<version>[^\s)]+) \s* \))?""",
    re.VERBOSE,
)
# What dpkg takes them for, with a warning (deb-control(5)).
_OBSOLETE = {"<": "<=", ">": ">="}
_NEWEST = "9999:0"


@dataclass(frozen=True, slots=True)
class _Relation:
    """A word of a field of `whose` stanza; `relation` and `version` are empty for any version."""

    name: str
    relation: str
    version: str
    field: str
    whose: Published

    def __str__(self) -> str:
        bound = f" ({self.relation} {self.version})" if self.relation else ""
        return f"{self.whose} has {self.field}: {self.name}{bound}"

    def fits(self, have: str) -> bool:
        if not self.relation:
            return True
        left, right = version_key(have), version_key(self.version)
        return {
            "<<": left < right,
            "<=": left <= right,
            "=": left == right,
            ">=": left >= right,
            ">>": left > right,
        }[self.relation]


class NoStandIn(HadebError):
    """Nothing that a distribution can have would do for these packages."""


def _none_fits(relations: Sequence[_Relation]) -> NoStandIn:
    listed = "".join(f"\n  {line}" for line in dict.fromkeys(map(str, relations)))
    return NoStandIn(
        f"no version of {relations[0].name} fits all that is said of it:{listed}",
        hint="the suite is as it was; mend the relations of the package",
    )


def _suite_differs(wanted: _Relation, has: Published) -> NoStandIn:
    return NoStandIn(
        f"{wanted}, and the suite has {has.name} {has.version}",
        hint="the suite is as it was; publish what fits together with the package, or, where the "
        f"distribution has it, take the suite's own out: hadeb repo remove {has.name} SUITE",
    )


def field(stanza: str, name: str) -> str:
    """A field of a stanza on one line, empty where it has none."""
    found = re.search(rf"^{name}:(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE | re.IGNORECASE)
    return " ".join(found.group(1).split()) if found else ""


def stand_ins(
    tried: Sequence[Published], suite: Iterable[Published], architecture: str
) -> dict[str, str]:
    """Name and version of what is to be taken for installed, so that these can be.

    Raises NoStandIn where no version of something fits, or the suite has one that does not.
    """
    if not any(True for one in tried for _ in _clauses(one)):
        return {}
    own = _candidates(tried, suite, architecture)
    offered = _offered(own.values())
    names = {one.name for one in tried}
    reached: dict[str, Published] = {}
    wanted = []
    left = list(tried)
    while left:
        one = left.pop()
        if one.name in reached:
            continue
        reached[one.name] = one
        for clause in _clauses(one):
            held = next(filter(None, (_holders(each, offered) for each in clause)), None)
            if held:
                # What they want in turn has to be there, too.
                left += held
            elif others := [each for each in clause if each.name not in own]:
                wanted.append(others)
            elif one.name in names:
                raise _suite_differs(clause[0], own[clause[0].name])
    return _chosen(wanted, _refusals(reached.values()), names)


def _chosen(
    wanted: list[list[_Relation]], refused: dict[str, list[_Relation]], tried: set[str]
) -> dict[str, str]:
    """A version for each clause; those without an alternative come first."""
    versions: dict[str, str] = {}
    bounds = defaultdict[str, dict[str, _Relation]](dict)
    for clause in sorted(wanted, key=len):
        for each in clause:
            said = _with(bounds[each.name], each)
            version = versions.get(each.name)
            if version is None or not each.fits(version):
                version = _fitting(said.values(), refused.get(each.name, []))
            if version is not None:
                versions[each.name], bounds[each.name] = version, said
                break
        else:
            first = clause[0]
            said = _with(bounds[first.name], first)
            # Whether apt would want any other package is for apt to say.
            if first.whose.name in tried:
                raise _none_fits([*said.values(), *refused.get(first.name, [])])
    return versions


def _with(bounds: dict[str, _Relation], added: _Relation) -> dict[str, _Relation]:
    """Of the bounds on one name the closest of each kind, this one among them."""
    # Two versions that it is to equal are two kinds.
    kind = f"={added.version}" if added.relation == "=" else added.relation
    known = bounds.get(kind)
    return bounds if known and added.fits(known.version) else {**bounds, kind: added}


def _fitting(bounds: Collection[_Relation], refused: Sequence[_Relation]) -> str | None:
    """The newest version that fits; None where there is none."""
    ends = {each.version for each in (*bounds, *refused) if each.version}
    # At each end, right above it and right below it: what lies between two ends is all the same.
    near = [
        version
        for end in sorted(ends, key=version_key, reverse=True)
        for version in (f"{end}+", end, f"{end}~")
    ]
    for version in (_NEWEST, *near):
        beside = not any(each.fits(version) for each in refused)
        if beside and all(each.fits(version) for each in bounds):
            return version
    return None


def _clauses(one: Published) -> Iterator[list[_Relation]]:
    """What a package wants: one of the alternatives of each."""
    for name in ("Pre-Depends", "Depends"):
        for group in field(one.stanza, name).split(","):
            if clause := list(_relations(group.split("|"), name, one)):
                yield clause


def _refusals(packages: Iterable[Published]) -> dict[str, list[_Relation]]:
    """By name, what one of the packages cannot be beside."""
    found = defaultdict[str, dict[tuple[str, str], _Relation]](dict)
    for one in packages:
        for name in ("Conflicts", "Breaks"):
            for each in _relations(field(one.stanza, name).split(","), name, one):
                found[each.name].setdefault((each.relation, each.version), each)
    return {name: list(said.values()) for name, said in found.items()}


def _relations(words: Iterable[str], name: str, whose: Published) -> Iterator[_Relation]:
    for word in words:
        if match := _RELATION.match(word):
            relation = match["relation"] or ""
            relation = _OBSOLETE.get(relation, relation)
            yield _Relation(match["name"], relation, match["version"] or "", name, whose)


def _candidates(
    tried: Iterable[Published], suite: Iterable[Published], architecture: str
) -> dict[str, Published]:
    """What apt would install of each name: what is tried, and the newest of all others."""
    found: dict[str, Published] = {}
    for one in suite:
        if one.architecture not in {architecture, "all"}:
            continue
        known = found.setdefault(one.name, one)
        if known is not one and version_key(one.version) > version_key(known.version):
            found[one.name] = one
    found.update((one.name, one) for one in tried)
    return found


def _offered(packages: Iterable[Published]) -> dict[str, list[tuple[str, Published]]]:
    """Who has each name, and in what version; an empty one for a name without a version."""
    offered = defaultdict[str, list[tuple[str, Published]]](list)
    for one in packages:
        offered[one.name].append((one.version, one))
        if "\nProvides:" in one.stanza:
            words = field(one.stanza, "Provides").split(",")
            for each in _relations(words, "Provides", one):
                offered[each.name].append((each.version, one))
    return offered


def _holders(wanted: _Relation, offered: dict[str, list[tuple[str, Published]]]) -> list[Published]:
    return [
        one
        for version, one in offered.get(wanted.name, ())
        if not wanted.relation or (version and wanted.fits(version))
    ]
