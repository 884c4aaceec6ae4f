# SPDX-License-Identifier: Apache-2.0
"""The pcs and crmsh commands that create what the manifest's [cluster] describes. Pure.

They use only what Debian 12 and 13 both support: pcs 0.11 and 0.12, crmsh 4.4 and 5.0. Properties
come first, because crmsh refuses a resource while stonith-enabled is true and nothing can fence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from hadeb.manifest.cluster import ClusterTable, ColocationTable, ResourceTable
from hadeb.pacemaker.advertised import all_operations, shown_operations
from hadeb.pacemaker.ocf import MetaData

# A word that needs no quotes in a shell. An exclamation mark is literal only at the end; anywhere
# else an interactive bash expands it to a line of its history.
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+!?")


def pcs_commands(cluster: ClusterTable) -> list[str]:
    """The pcs commands, one shell command per line."""
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
        resource, other = clones[colocation.resource], clones[colocation.with_]
        # People type INFINITY bare, but pcs would take a bare -INFINITY for an option.
        score = _score(colocation)
        written = score if score == "INFINITY" else f"score={score}"
        lines.append(("constraint", "colocation", "add", resource, "with", *role, other, written))
    for order in cluster.order:
        first, then = clones[order.first], clones[order.then]
        words = (order.first_action, first, "then", order.then_action, then)
        lines.append(("constraint", "order", *words))
    return [_line(("pcs", *words)) for words in lines]


def crm_commands(cluster: ClusterTable, agents: Mapping[str, MetaData]) -> list[str]:
    """The crmsh commands, one shell command per line.

    `agents` has the meta-data of agents by their names, as far as it is known.
    """
    clones = _clones(cluster)
    taken = {*clones, *clones.values()}
    lines: list[tuple[str, ...]] = []
    if cluster.properties:
        lines.append(("property", *_pairs(cluster.properties)))
    for resource in cluster.resource:
        lines.append(("primitive", *_crm_primitive(resource, agents.get(resource.agent))))
        if resource.copies != "one":
            # crmsh 5.0 sets both to true where they are not written, and pcs does not.
            promotable = "true" if resource.copies == "promotable" else "false"
            meta = {"promotable": promotable, "interleave": "false", **resource.clone_meta}
            words = _section("meta", meta)
            lines.append(("clone", clones[resource.name], resource.name, *words))
    for colocation in cluster.colocation:
        resource_id, other = clones[colocation.resource], clones[colocation.with_]
        name = _free(f"colocation-{resource_id}-{other}", taken)
        if colocation.with_role:
            # pcs names the other resource's role as well, which is that by default.
            resource_id, other = f"{resource_id}:Started", f"{other}:{colocation.with_role}"
        lines.append(("colocation", name, f"{_score(colocation)}:", resource_id, other))
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
    """The name that constraints use for each resource: that of its clone, if it has one."""
    return {
        resource.name: resource.name if resource.copies == "one" else f"{resource.name}-clone"
        for resource in cluster.resource
    }


def _pcs_resource(resource: ResourceTable) -> Iterator[str]:
    yield from (resource.name, resource.agent, *_pairs(resource.parameters))
    operations = shown_operations(resource)
    if operations:
        yield "op"
    for operation in operations:
        yield from (operation.name, *_pairs(operation.options))
    yield from _section("meta", resource.meta)
    if resource.copies != "one":
        # Without `meta`, after which pcs 0.11 and 0.12 apply options to the resource in the clone.
        yield from (resource.copies, *_pairs(resource.clone_meta))


def _crm_primitive(resource: ResourceTable, meta_data: MetaData | None) -> Iterator[str]:
    yield from (resource.name, resource.agent, *_section("params", resource.parameters))
    for operation in all_operations(resource, meta_data):
        yield from ("op", operation.name, *_pairs(operation.options))
    yield from _section("meta", resource.meta)


def _score(colocation: ColocationTable) -> str:
    # The CIB's schema allows no plus sign.
    return colocation.score.removeprefix("+")


def _section(title: str, options: Mapping[str, str]) -> tuple[str, ...]:
    return (title, *_pairs(options)) if options else ()


def _totem(cluster: ClusterTable) -> Iterator[tuple[str, str]]:
    return ((f"totem.{name}", str(value)) for name, value in cluster.totem.items())


def _pairs(options: Mapping[str, str]) -> Iterator[str]:
    return (f"{key}={value}" for key, value in options.items())


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def _line(words: Iterable[str]) -> str:
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word quoted for a shell; in `key=value` only the value gets quotes."""
    if _PLAIN.fullmatch(word):
        return word
    key, equals, value = word.partition("=")
    if equals and _PLAIN.fullmatch(key):
        return f"{key}={shlex.quote(value)}"
    return shlex.quote(word)


def _for_crmsh(word: str) -> str:
    """The argument that crmsh reads as this word.

    crmsh joins its arguments and splits them again. Before that, it quotes an argument that has a
    blank: with double quotes, with single ones if it has double quotes, and not at all if it has
    both.
    """
    if " " in word and not ('"' in word and "'" in word):
        return word if '"' in word else word.replace("\\", "\\\\")
    return re.sub(r"""[\s'"\\]""", r"\\\g<0>", word)
