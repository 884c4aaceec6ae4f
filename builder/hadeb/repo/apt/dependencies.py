# SPDX-License-Identifier: Apache-2.0
"""Placeholders for the packages that apt needs to try an installation. Pure.

A suite's packages depend on Debian's packages, which the repository does not have. The trial tells
apt that every package the suite lacks is installed, in a version that fits all relations to it. A
name that the suite has gets no placeholder: if its version does not fit, apt has to report that.
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


class NoPlaceholder(HadebError):
    """No version of a package could satisfy these packages."""


def _none_fits(requirements: Sequence[_Requirement]) -> NoPlaceholder:
    listed = "".join(f"\n  {line}" for line in dict.fromkeys(map(str, requirements)))
    return NoPlaceholder(
        f"no version of {requirements[0].name} satisfies all relations to it:{listed}",
        hint="the suite is unchanged; fix the relations of the package",
    )


def _suite_differs(wanted: _Requirement, has: Published) -> NoPlaceholder:
    return NoPlaceholder(
        f"{wanted}, but the suite has {has.name} {has.version}",
        hint="the suite is unchanged; publish a matching version with the package, or, if the "
        f"distribution has one, remove the suite's own: hadeb repo remove {has.name} SUITE",
    )


def placeholders(
    tried: Sequence[Published], suite: Iterable[Published], architecture: str
) -> dict[str, str]:
    """The names and versions to present to apt as installed, so that it can install `tried`.

    Raises NoPlaceholder if no version of a package fits, or the suite has one that does not.
    """
    if not any(True for package in tried for _ in _clauses(package)):
        return {}
    own = _candidates(tried, suite, architecture)
    offered = _offered(own.values())
    names = {package.name for package in tried}
    reached: dict[str, Published] = {}
    wanted = []
    left = list(tried)
    while left:
        package = left.pop()
        if package.name in reached:
            continue
        reached[package.name] = package
        for clause in _clauses(package):
            holders = next(filter(None, (_holders(each, offered) for each in clause)), None)
            if holders:
                # Their own dependencies count too.
                left += holders
            elif others := [each for each in clause if each.name not in own]:
                wanted.append(others)
            elif package.name in names:
                raise _suite_differs(clause[0], own[clause[0].name])
    return _chosen(wanted, _refusals(reached.values()), names)


def _chosen(
    wanted: list[list[_Requirement]], refused: dict[str, list[_Requirement]], tried: set[str]
) -> dict[str, str]:
    """A version for each clause; clauses without an alternative come first."""
    versions: dict[str, str] = {}
    bounds = defaultdict[str, dict[str, _Requirement]](dict)
    for clause in sorted(wanted, key=len):
        for each in clause:
            known = _with(bounds[each.name], each)
            version = versions.get(each.name)
            if version is None or not each.fits(version):
                version = _fitting(known.values(), refused.get(each.name, []))
            if version is not None:
                versions[each.name], bounds[each.name] = version, known
                break
        else:
            first = clause[0]
            known = _with(bounds[first.name], first)
            # For packages that are not tried, apt decides whether it would install them.
            if first.whose.name in tried:
                raise _none_fits([*known.values(), *refused.get(first.name, [])])
    return versions


def _with(bounds: dict[str, _Requirement], added: _Requirement) -> dict[str, _Requirement]:
    """The closest bound of each kind on one name, including `added`."""
    # Two exact versions are two kinds.
    operator = added.relation.operator
    kind = f"={added.version}" if operator == "=" else operator
    known = bounds.get(kind)
    return bounds if known and added.fits(known.version) else {**bounds, kind: added}


def _fitting(bounds: Collection[_Requirement], refused: Sequence[_Requirement]) -> str | None:
    """The newest version that fits; None if there is none."""
    ends = {each.version for each in (*bounds, *refused) if each.version}
    # Try each bound and the versions right above and below it. All others between two bounds are
    # equivalent.
    near = [
        version
        for end in sorted(ends, key=version_key, reverse=True)
        for version in (f"{end}+", end, f"{end}~")
    ]
    for version in (_NEWEST, *near):
        if any(each.fits(version) for each in refused):
            continue
        if all(each.fits(version) for each in bounds):
            return version
    return None


def _clauses(package: Published) -> Iterator[list[_Requirement]]:
    """A package's dependencies, each as its alternatives."""
    for name in ("Pre-Depends", "Depends"):
        for alternatives in parse_field(field(package.stanza, name)):
            yield [_Requirement(relation, name, package) for relation in alternatives]


def _refusals(packages: Iterable[Published]) -> dict[str, list[_Requirement]]:
    """What the packages conflict with or break, by name."""
    refusals = defaultdict[str, dict[Relation, _Requirement]](dict)
    for package in packages:
        for name in ("Conflicts", "Breaks"):
            for relation, *_ in parse_field(field(package.stanza, name)):
                requirement = _Requirement(relation, name, package)
                refusals[relation.name].setdefault(relation, requirement)
    return {name: list(each.values()) for name, each in refusals.items()}


def _candidates(
    tried: Iterable[Published], suite: Iterable[Published], architecture: str
) -> dict[str, Published]:
    """What apt would install for each name: the tried package, else the newest in the suite."""
    candidates: dict[str, Published] = {}
    for package in suite:
        if package.architecture not in {architecture, "all"}:
            continue
        known = candidates.setdefault(package.name, package)
        if known is not package and version_key(package.version) > version_key(known.version):
            candidates[package.name] = package
    candidates.update((package.name, package) for package in tried)
    return candidates


def _offered(packages: Iterable[Published]) -> dict[str, list[tuple[str, Published]]]:
    """Which packages provide each name, and in which version; empty without a version."""
    offered = defaultdict[str, list[tuple[str, Published]]](list)
    for package in packages:
        offered[package.name].append((package.version, package))
        if "\nProvides:" in package.stanza:
            for provided, *_ in parse_field(field(package.stanza, "Provides")):
                offered[provided.name].append((provided.version, package))
    return offered


def _holders(
    wanted: _Requirement, offered: dict[str, list[tuple[str, Published]]]
) -> list[Published]:
    return [
        package
        for version, package in offered.get(wanted.name, ())
        if not wanted.version or (version and wanted.fits(version))
    ]
