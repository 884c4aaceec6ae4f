# SPDX-License-Identifier: Apache-2.0
"""Which of Debian's packages a node needs for a package's sake, besides what every node has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hadeb.debian.releases import Suite
from hadeb.lab.node.image import image
from hadeb.package.model import Package

_NAME = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)")


def extra_packages(package: Package, suite: Suite) -> tuple[str, ...]:
    """What a node of that suite needs so that dpkg configures the package there."""
    fields = dict(package.control)
    relations = ", ".join(fields.get(key, "") for key in ("Pre-Depends", "Depends"))
    if not relations.strip(", "):
        return ()
    status = image(suite) / "var/lib/dpkg/status"
    return missing(relations, status.read_text(encoding="utf-8"))


def missing(relations: str, status: str) -> tuple[str, ...]:
    """The first alternative of each relation that nothing in a dpkg status satisfies.

    Versions are not looked at: what is too old, dpkg says on the node as it would anywhere.
    """
    there = set(_installed(status))
    wanted = []
    for relation in relations.split(","):
        names = [match[1] for one in relation.split("|") if (match := _NAME.match(one))]
        if names and not there & set(names):
            wanted.append(names[0])
    return tuple(sorted(set(wanted)))


def _installed(status: str) -> Iterator[str]:
    """The packages that are installed, and the virtual ones that they provide."""
    for stanza in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if fields.get("Status", "").endswith(" installed"):
            names = f"{fields['Package']}, {fields.get('Provides', '')}".split(",")
            yield from (match[1] for name in names if (match := _NAME.match(name)))
