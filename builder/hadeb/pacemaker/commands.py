# SPDX-License-Identifier: Apache-2.0
"""The commands that make a cluster as the manifest's [cluster] describes it, for pcs and for crmsh.

Both are held to what the releases in Debian 12 and 13 take alike: pcs 0.11 and 0.12, crmsh 4.4
and 5.0. Properties come first: without fencing, crmsh refuses a resource until it is told so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from hadeb.manifest.cluster import ClusterTable, ColocationTable, OperationTable, ResourceTable

# What needs no quotes in a shell. An exclamation mark at the end stands for itself; anywhere else
# an interactive bash would put a line of its history in its place.
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+!?")


def pcs_commands(cluster: ClusterTable) -> list[str]:
    """The lines for pcs, each of them a whole command for a shell."""
    clones = _clones(cluster)
    lines: list[tuple[str, ...]] = []
    if cluster.totem:
        options = (f"{name}={value}" for name, value in cluster.totem.items())
        lines.append(("cluster", "config", "update", "totem", *options))
    if cluster.properties:
        lines.append(("property", "set", *_pairs(cluster.properties)))
    lines.extend(("resource", "create", *_pcs_resource(each)) for each in cluster.resource)
    for colocation in cluster.colocation:
        role = (colocation.with_role,) if colocation.with_role else ()
        one, other = clones[colocation.resource], clones[colocation.with_]
        # Bare is how people type it; a bare one with a minus pcs would take for an option.
        score = _score(colocation)
        written = score if score == "INFINITY" else f"score={score}"
        lines.append(("constraint", "colocation", "add", one, "with", *role, other, written))
    for order in cluster.order:
        first, then = clones[order.first], clones[order.then]
        words = (order.first_action, first, "then", order.then_action, then)
        lines.append(("constraint", "order", *words))
    return [_line(("pcs", *words)) for words in lines]


def crm_commands(cluster: ClusterTable) -> list[str]:
    """The lines for crmsh, each of them a whole command for a shell."""
    clones = _clones(cluster)
    taken = {*clones, *clones.values()}
    lines: list[tuple[str, ...]] = []
    if cluster.properties:
        lines.append(("property", *_pairs(cluster.properties)))
    for resource in cluster.resource:
        lines.append(("primitive", *_crm_primitive(resource)))
        if resource.copies != "one":
            meta = {"promotable": "true"} if resource.copies == "promotable" else {}
            words = _section("meta", {**meta, **resource.clone_meta})
            lines.append(("clone", clones[resource.name], resource.name, *words))
    for colocation in cluster.colocation:
        one, other = clones[colocation.resource], clones[colocation.with_]
        name = _free(f"colocation-{one}-{other}", taken)
        role = f":{colocation.with_role}" if colocation.with_role else ""
        lines.append(("colocation", name, f"{_score(colocation)}:", one, f"{other}{role}"))
    for order in cluster.order:
        first, then = clones[order.first], clones[order.then]
        name = _free(f"order-{first}-{then}", taken)
        words = (f"{first}:{order.first_action}", f"{then}:{order.then_action}")
        if (order.first_action, order.then_action) == ("start", "start"):
            words = (first, then)
        lines.append(("order", name, "Mandatory:", *words))
    return [
        *(_line(("crm", "corosync", "set", *each)) for each in _totem(cluster)),
        *(_line(("crm", "configure", *map(_for_crmsh, words))) for words in lines),
    ]


def _clones(cluster: ClusterTable) -> dict[str, str]:
    """What constraints call each resource: where there are several of it, they mean its clone."""
    return {
        resource.name: resource.name if resource.copies == "one" else f"{resource.name}-clone"
        for resource in cluster.resource
    }


def _pcs_resource(resource: ResourceTable) -> Iterator[str]:
    yield from (resource.name, resource.agent, *_pairs(resource.parameters))
    if resource.operations:
        yield "op"
        for operation in resource.operations:
            yield from (operation.name, *_pairs(_options(operation)))
    yield from _section("meta", resource.meta)
    if resource.copies != "one":
        # No `meta` here: pcs 0.11 and 0.12 would give what follows to the resource in the clone.
        yield from (resource.copies, *_pairs(resource.clone_meta))


def _crm_primitive(resource: ResourceTable) -> Iterator[str]:
    yield from (resource.name, resource.agent, *_section("params", resource.parameters))
    for operation in (*resource.operations, *_missing_monitors(resource)):
        yield from ("op", operation.name, *_pairs(_options(operation)))
    yield from _section("meta", resource.meta)


def _missing_monitors(resource: ResourceTable) -> Iterable[OperationTable]:
    """Unlike pcs, crmsh makes no monitor because an agent advertises it: nobody would look."""
    if any(operation.name == "monitor" for operation in resource.operations):
        return ()
    if resource.copies != "promotable":
        return (OperationTable(name="monitor", interval="10s"),)
    return (
        OperationTable(name="monitor", interval="10s", role="Promoted"),
        OperationTable(name="monitor", interval="11s", role="Unpromoted"),
    )


def _options(operation: OperationTable) -> dict[str, str]:
    named = {
        "interval": operation.interval,
        "timeout": operation.timeout,
        "on-fail": operation.on_fail,
        "role": operation.role,
    }
    return {**{key: value for key, value in named.items() if value}, **operation.options}


def _score(colocation: ColocationTable) -> str:
    # The CIB's schema knows no sign before what is positive.
    return colocation.score.removeprefix("+")


def _section(title: str, options: Mapping[str, str]) -> tuple[str, ...]:
    return (title, *_pairs(options)) if options else ()


def _totem(cluster: ClusterTable) -> Iterator[tuple[str, str]]:
    return ((f"totem.{name}", str(value)) for name, value in cluster.totem.items())


def _pairs(options: Mapping[str, str]) -> Iterator[str]:
    return (f"{key}={value}" for key, value in options.items())


def _free(name: str, taken: set[str]) -> str:
    """The name, or where something has it, the name with a number."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def _line(words: Iterable[str]) -> str:
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word as a shell takes it; of `key=value` only the value has quotes, as people write it."""
    if _PLAIN.fullmatch(word):
        return word
    key, equals, value = word.partition("=")
    if equals and _PLAIN.fullmatch(key):
        return f"{key}={shlex.quote(value)}"
    return shlex.quote(word)


def _for_crmsh(word: str) -> str:
    """The argument that crmsh reads as this word: it joins its arguments, and splits them anew.

    Before that it puts quotes around an argument with a blank: double ones unless it has some of
    its own, and none at all where it has both kinds.
    """
    if " " in word and not ('"' in word and "'" in word):
        return word if '"' in word else word.replace("\\", "\\\\")
    return re.sub(r"""[\s'"\\]""", r"\\\g<0>", word)
