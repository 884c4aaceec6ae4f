# SPDX-License-Identifier: Apache-2.0
"""Whether the units that agents and [cluster] name are those of the package. Pure.

A unit that the package does not have may be another package's. So only a name that is nearly the
package's own, or that nobody else can have, is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from hadeb.debian.relations import parse_alternatives
from hadeb.manifest.model import Manifest, RelationsTable
from hadeb.manifest.reader import Problem, is_close

# The name of a template unit where an instance of it follows.
_TEMPLATE = re.compile(
    r"""(?<![\w.:@/-])([A-Za-z][\w:.-]*)@(?=[^\s"'/;|&@]*\.service\b|["']?\$[\w{(])"""
)


def agent_unit_problems(
    text: str, manifest: Manifest, units: Container[str]
) -> Iterator[tuple[int, str]]:
    """The lines of an agent that drive a unit which nobody has; `units` are the package's."""
    name = manifest.package.name
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        for template in _TEMPLATE.findall(line):
            if f"{template}@.service" in units or template in _relations(manifest.relations):
                continue
            if template == name:
                sentence = f"drives {name}@.service, which the package does not have"
                yield number, f"{sentence}; describe it in [service], or ship it with a [[file]]"
            elif manifest.service and _is_similar(template, name):
                sentence = f"drives {template}@.service, which the package does not have"
                yield number, f"{sentence} (did you mean '{name}@'?)"
    yield from _without_instance(text, manifest, units)


def _without_instance(
    text: str, manifest: Manifest, units: Container[str]
) -> Iterator[tuple[int, str]]:
    """The template's name without an instance, in an agent that nowhere names one."""
    name = manifest.package.name
    unit = f"{name}.service"
    if not manifest.service or unit in units or f"{name}@" in text or "systemd/system" in text:
        return
    named = re.compile(rf"(?<![\w.@/-]){re.escape(unit)}\b")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#") and named.search(line):
            sentence = f"drives {unit}, but the package has {name}@.service"
            remedy = f"name an instance, as in {name}@$OCF_RESOURCE_INSTANCE.service"
            yield number, f"{sentence}; {remedy}"


def resource_unit_problems(manifest: Manifest, units: Container[str]) -> Iterator[Problem]:
    """The resources in [cluster] whose unit nobody has."""
    cluster, name = manifest.cluster, manifest.package.name
    if not cluster or not manifest.service:
        return
    for index, resource in enumerate(cluster.resource):
        kind, _, unit = resource.agent.partition(":")
        if kind not in ("systemd", "service"):
            continue
        template, at, _ = unit.removesuffix(".service").partition("@")
        written = f"{template}{at}.service"
        if written in units or template in _relations(manifest.relations):
            continue
        remedy = f"write {kind}:{name}@INSTANCE"
        if template == name or (at and _is_similar(template, name)):
            sentence = f"{unit} is no unit of the package, which has {name}@.service"
            yield ("cluster", "resource", index, "agent"), f"{sentence}; {remedy}"


def _relations(table: RelationsTable) -> set[str]:
    fields = (table.depends, table.pre_depends, table.recommends, table.suggests)
    return {
        relation.name for field in fields for text in field for relation in parse_alternatives(text)
    }


def _is_similar(name: str, own: str) -> bool:
    """Whether a name is the package's with a mistake; one with something added is meant so."""
    return not name.startswith(own) and is_close(name, own)
