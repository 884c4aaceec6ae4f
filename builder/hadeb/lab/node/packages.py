# SPDX-License-Identifier: Apache-2.0
"""The Debian packages that a node needs for a package, in addition to what every node has."""

from __future__ import annotations

from collections.abc import Iterator

from hadeb.debian.deb822 import fields, paragraphs
from hadeb.debian.relations import parse_field
from hadeb.debian.releases import Suite
from hadeb.lab.node.image import image
from hadeb.package.model import Package


def extra_packages(package: Package, suite: Suite, also: str = "") -> tuple[str, ...]:
    """The packages that a node of a suite needs so that dpkg configures the package there.

    `also` are the relations of another version that the node gets.
    """
    control = dict(package.control)
    relations = ", ".join([*(control.get(key, "") for key in ("Pre-Depends", "Depends")), also])
    if not relations.strip(", "):
        return ()
    status = image(suite) / "var/lib/dpkg/status"
    return missing(relations, status.read_text(encoding="utf-8"))


def missing(relations: str, status: str) -> tuple[str, ...]:
    """The first alternative of each relation that no package in a dpkg status satisfies.

    Versions are ignored: if one is too old, dpkg reports that on the node as it does anywhere.
    """
    installed = set(_installed(status))
    wanted = set()
    for alternatives in parse_field(relations):
        names = [alternative.name for alternative in alternatives]
        if installed.isdisjoint(names):
            wanted.add(names[0])
    return tuple(sorted(wanted))


def _installed(status: str) -> Iterator[str]:
    """The installed packages, and the virtual packages that they provide."""
    for paragraph in paragraphs(status):
        values = fields(paragraph)
        if values.get("status", "").endswith(" installed"):
            yield values["package"]
            for provided in parse_field(values.get("provides", "")):
                yield provided[0].name
