# SPDX-License-Identifier: Apache-2.0
"""Relations between packages, as in Depends and Provides (Debian Policy 7.1, deb-control(5)). Pure.

The patterns match what hadeb accepts in a manifest. The parser accepts what dpkg does: any blanks,
the obsolete `<` and `>`, and restrictions after the version, which it ignores.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hadeb.debian.names import ARCHITECTURE_PATTERN, PACKAGE_PATTERN
from hadeb.debian.version import VERSION_PATTERN, version_key

_QUALIFIED = rf"{PACKAGE_PATTERN}(?::{ARCHITECTURE_PATTERN})?"
# One package, for the fields that have no alternatives: `name` or `name (<< 1.2)`.
SINGLE_PATTERN = rf"{_QUALIFIED}(?: *\((?:<<|<=|=|>=|>>) *{VERSION_PATTERN}\))?"
# One or more alternatives: `name | other (>= 1.2)`.
ALTERNATIVES_PATTERN = rf"{SINGLE_PATTERN}(?: *\| *{SINGLE_PATTERN})*"
# A virtual package; it can be provided in one version, but not in a range.
PROVISION_PATTERN = rf"{_QUALIFIED}(?: *\(= *{VERSION_PATTERN}\))?"

_RELATION = re.compile(
    r"""\s* (?P<name>[a-z0-9][a-z0-9+.-]*) (?::[a-z0-9-]+)? \s*
    (?:\( \s* (?P<operator><<|<=|=|>=|>>|<|>) \s* (?P<version>[^\s)]+) \s* \))?""",
    re.VERBOSE,
)
# What dpkg takes the obsolete operators for, with a warning (deb-control(5)).
_OBSOLETE = {"<": "<=", ">": ">="}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">>": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """A package, and a bound on its version; `operator` and `version` are empty without one."""

    name: str
    operator: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.operator} {self.version})" if self.operator else self.name

    def admits(self, version: str) -> bool:
        """Whether the bound admits this version of the package."""
        if not self.operator:
            return True
        return _COMPARE[self.operator](version_key(version), version_key(self.version))


def parse_relation(text: str) -> Relation | None:
    """One relation to one package; None if the text does not begin with one."""
    match = _RELATION.match(text)
    if not match:
        return None
    written = match["operator"] or ""
    return Relation(match["name"], _OBSOLETE.get(written, written), match["version"] or "")


def parse_alternatives(text: str) -> Sequence[Relation]:
    """The alternatives of one relation, `name | other`; what is no relation is left out."""
    parsed = (parse_relation(alternative) for alternative in text.split("|"))
    return [relation for relation in parsed if relation]


def parse_field(text: str) -> Iterator[Sequence[Relation]]:
    """The relations of a field, each as its alternatives; empty ones are left out."""
    return (relation for each in text.split(",") if (relation := parse_alternatives(each)))
