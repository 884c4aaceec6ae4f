# SPDX-License-Identifier: Apache-2.0
"""What a throw-away apt takes for installed, so that a package's dependencies can be tried.

A suite's packages depend on Debian's, which the repository does not have. What the suite has no
package of is taken for installed, in a version that fits all that is said of it. A name that the
suite has gets no stand-in: where its version does not fit, apt is to say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hadeb.debian.deb822 import field
from hadeb.debian.relations import Relation, parse_field
from hadeb.debian.version import version_key
from hadeb.errors import HadebError
from hadeb.repo.model.contents import Published

_NEWEST = "9999:0"


@dataclass(frozen=True, slots=True)
class _Requirement:
    """A relation in a field of `whose` stanza."""

    relation: Relation
    field: str
    whose: Published

    def __str__(self) -> str:
        return f"{self.whose} has {self.field}: {self.relation}"

    @property
    def name(self) -> str:
        return self.relation.name

    @property
    def version(self) -> str:
        return self.relation.version

    def fits(self, have: str) -> bool:
        return self.relation.admits(have)


class NoStandIn(HadebError):
    """Nothing that a distribution can have would do for these packages."""


def _none_fits(relations: Sequence[_Requirement]) -> NoStandIn:
    listed = "".join(f"\n  {line}" for line in dict.fromkeys(map(str, relations)))
    return NoStandIn(
        f"no version of {relations[0].name} fits all that is said of it:{listed}",
        hint="the suite is as it was; mend the relations of the package",
    )


def _suite_differs(wanted: _Requirement, has: Published) -> NoStandIn:
    return NoStandIn(
        f"{wanted}, and the suite has {has.name} {has.version}",
        hint="the suite is as it was; publish what fits together with the package, or, where the "
        f"distribution has it, take the suite's own out: hadeb repo remove {has.name} SUITE",
    )


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
    wanted: list[list[_Requirement]], refused: dict[str, list[_Requirement]], tried: set[str]
) -> dict[str, str]:
    """A version for each clause; those without an alternative come first."""
    versions: dict[str, str] = {}
    bounds = defaultdict[str, dict[str, _Requirement]](dict)
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


def _with(bounds: dict[str, _Requirement], added: _Requirement) -> dict[str, _Requirement]:
    """Of the bounds on one name the closest of each kind, this one among them."""
    # Two versions that it is to equal are two kinds.
    operator = added.relation.operator
    kind = f"={added.version}" if operator == "=" else operator
    known = bounds.get(kind)
    return bounds if known and added.fits(known.version) else {**bounds, kind: added}


def _fitting(bounds: Collection[_Requirement], refused: Sequence[_Requirement]) -> str | None:
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


def _clauses(one: Published) -> Iterator[list[_Requirement]]:
    """What a package wants: one of the alternatives of each."""
    for name in ("Pre-Depends", "Depends"):
        for alternatives in parse_field(field(one.stanza, name)):
            yield [_Requirement(relation, name, one) for relation in alternatives]


def _refusals(packages: Iterable[Published]) -> dict[str, list[_Requirement]]:
    """By name, what one of the packages cannot be beside."""
    found = defaultdict[str, dict[Relation, _Requirement]](dict)
    for one in packages:
        for name in ("Conflicts", "Breaks"):
            for relation, *_ in parse_field(field(one.stanza, name)):
                refused = _Requirement(relation, name, one)
                found[relation.name].setdefault(relation, refused)
    return {name: list(said.values()) for name, said in found.items()}


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
            for provided, *_ in parse_field(field(one.stanza, "Provides")):
                offered[provided.name].append((provided.version, one))
    return offered


def _holders(
    wanted: _Requirement, offered: dict[str, list[tuple[str, Published]]]
) -> list[Published]:
    return [
        one
        for version, one in offered.get(wanted.name, ())
        if not wanted.version or (version and wanted.fits(version))
    ]
