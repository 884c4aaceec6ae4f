# SPDX-License-Identifier: Apache-2.0
"""Contradictions between the keys of [cluster], each of which is valid by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from hadeb.manifest.cluster import VALUE, AnswerTable, ClusterTable, ResourceTable
from hadeb.manifest.model import Manifest
from hadeb.manifest.reader import Problem, suggestion
from hadeb.manifest.toml_lines import KeyPath
from hadeb.manifest.values import seconds

# Options that an operation sets by keys of its own.
_OPERATION_KEYS = {"name", "interval", "timeout", "on-fail", "role"}
# Which kinds of answer use a key.
_ANSWER_KEYS = {
    "port": ("tcp", "http"),
    "send": ("tcp",),
    "path": ("http",),
    "command": ("command",),
}
# The first line of an HTTP request in a manifest.
_REQUEST = re.compile(r"[A-Z]+ /\S*[ ]*(?:\r?\n|\Z)")


def service_of(manifest: Manifest) -> str | None:
    """The resource that answers clients: `service`, or the first with an agent of the bundle.

    None if there is no [cluster], or if no resource has an agent of the bundle.
    """
    if not manifest.cluster:
        return None
    if manifest.cluster.service:
        return manifest.cluster.service
    own = set(_own_agents(manifest))
    return next((each.name for each in manifest.cluster.resource if each.agent in own), None)


def cluster_contradictions(manifest: Manifest) -> Iterable[Problem]:
    """Everything in [cluster] that contradicts something else."""
    cluster = manifest.cluster
    if not cluster:
        return
    taken: set[str] = set()
    for index, resource in enumerate(cluster.resource):
        path: KeyPath = ("cluster", "resource", index)
        for name in _ids(resource):
            if name in taken:
                yield (*path, "name"), f"{name} is taken already; rename one of the two"
            taken.add(name)
        yield from _foreign_agent(manifest, resource, path)
        yield from _operation_contradictions(resource, path)
        yield from _copies_contradictions(resource, path)
    yield from _constraint_contradictions(cluster)
    if cluster.answer:
        yield from _answer_contradictions(cluster.answer)
        if not service_of(manifest):
            sentence = "is missing, and no resource has an agent of the bundle; name a resource"
            yield ("cluster", "service"), sentence
    elif cluster.max_outage:
        sentence = "needs [cluster.answer]: without it no client asks, so no outage is measured"
        yield ("cluster", "max-outage"), sentence


def _ids(resource: ResourceTable) -> Iterator[str]:
    """The names that a resource takes in the cluster."""
    yield resource.name
    if resource.copies != "one":
        yield f"{resource.name}-clone"


def _own_agents(manifest: Manifest) -> Iterator[str]:
    for agent in manifest.agent:
        yield f"ocf:{agent.provider}:{agent.source.rpartition('/')[2]}"


def _foreign_agent(manifest: Manifest, resource: ResourceTable, path: KeyPath) -> Iterator[Problem]:
    own = list(_own_agents(manifest))
    provider = resource.agent.rpartition(":")[0]
    if resource.agent not in own and provider in {each.rpartition(":")[0] for each in own}:
        sentence = f"{resource.agent} is not among the bundle's agents"
        yield (*path, "agent"), f"{sentence} ({suggestion(resource.agent, own)})"


def _operation_contradictions(resource: ResourceTable, path: KeyPath) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for index, operation in enumerate(resource.operations):
        place = (*path, "operations", index)
        if operation.name == "monitor" and not operation.interval:
            yield (*place, "interval"), "is missing; without it the resource is not monitored"
            continue
        if operation.name != "monitor":
            for key, value in (("interval", operation.interval), ("role", operation.role)):
                if value:
                    yield (*place, key), f"is for monitor, not for {operation.name}"
        if operation.role and operation.name == "monitor" and resource.copies != "promotable":
            yield (*place, "role"), f'needs copies = "promotable"; {resource.name} has no roles'
        # Pacemaker identifies an operation by name and interval, whatever its role.
        watched = operation.interval if operation.name == "monitor" else None
        same = (operation.name, seconds(watched or "0"))
        if same in seen and operation.name == "monitor":
            sentence = "is that of another monitor; give each monitor its own interval"
            yield (*place, "interval"), sentence
        elif same in seen:
            yield (*place, "name"), f"{operation.name} is listed already"
        seen.add(same)
        for name in _OPERATION_KEYS & operation.options.keys():
            yield (*place, "options", name), "is a key of the operation itself"


def _copies_contradictions(resource: ResourceTable, path: KeyPath) -> Iterator[Problem]:
    if resource.copies == "one" and resource.clone_meta:
        yield (*path, "clone-meta"), 'needs copies = "clone" or "promotable"'
    if "promotable" in resource.clone_meta:
        yield (*path, "clone-meta", "promotable"), 'is redundant: copies = "promotable" sets it'


def _constraint_contradictions(cluster: ClusterTable) -> Iterator[Problem]:
    known = {resource.name: resource for resource in cluster.resource}
    if cluster.service:
        yield from _unknown(known, ("cluster", "service"), cluster.service)
    pairs: set[tuple[str, ...]] = set()
    for index, colocation in enumerate(cluster.colocation):
        path: KeyPath = ("cluster", "colocation", index)
        yield from _unknown(known, (*path, "resource"), colocation.resource)
        yield from _unknown(known, (*path, "with"), colocation.with_)
        if colocation.with_role:
            yield from _without_roles(known, (*path, "with-role"), colocation.with_)
        yield from _pair(pairs, (*path, "with"), ("", colocation.resource, colocation.with_))
    for index, order in enumerate(cluster.order):
        path = ("cluster", "order", index)
        yield from _unknown(known, (*path, "first"), order.first)
        yield from _unknown(known, (*path, "then"), order.then)
        if order.first_action in ("promote", "demote"):
            yield from _without_roles(known, (*path, "first-action"), order.first)
        if order.then_action in ("promote", "demote"):
            yield from _without_roles(known, (*path, "then-action"), order.then)
        actions = (order.first_action, order.then_action)
        yield from _pair(pairs, (*path, "then"), (" ".join(actions), order.first, order.then))


def _unknown(known: Mapping[str, ResourceTable], path: KeyPath, name: str) -> Iterator[Problem]:
    if name not in known:
        yield path, f"{name} is not among the resources ({suggestion(name, known)})"


def _without_roles(
    known: Mapping[str, ResourceTable], path: KeyPath, name: str
) -> Iterator[Problem]:
    if name in known and known[name].copies != "promotable":
        yield path, f'needs copies = "promotable"; {name} has no roles'


def _pair(
    seen: set[tuple[str, ...]], path: KeyPath, pair: tuple[str, str, str]
) -> Iterator[Problem]:
    kind, first, second = pair
    if first == second:
        yield path, f"is {first} itself; a resource needs no constraint with itself"
    elif pair in seen:
        yield path, f"{first} and {second} have this constraint already"
    seen.add((kind, first, second))


def _answer_contradictions(answer: AnswerTable) -> Iterator[Problem]:
    path: KeyPath = ("cluster", "answer")
    given = {
        "port": answer.port is not None,
        "send": bool(answer.send),
        "path": answer.path != "/",
        "command": answer.command is not None,
    }
    for key, kinds in _ANSWER_KEYS.items():
        if given[key] and answer.kind not in kinds:
            needed = " or ".join(f'"{kind}"' for kind in kinds)
            yield (*path, key), f"is for kind {needed}, not for {answer.kind}"
    needs = "command" if answer.kind == "command" else "port"
    if not given[needs]:
        yield (*path, needs), f"is missing; kind {answer.kind} needs it"
    yield from _data_contradictions(answer, path)


def _data_contradictions(answer: AnswerTable, path: KeyPath) -> Iterator[Problem]:
    """Contradictions between the keys that write a value before a fault and read it after it."""
    if not answer.write:
        given = {
            "write-expect": bool(answer.write_expect),
            "read": bool(answer.read),
            "read-expect": answer.read_expect != VALUE,
        }
        for key in (key for key, is_given in given.items() if is_given):
            yield (*path, key), "needs write: there is nothing to read that no client wrote"
        return
    if VALUE not in answer.write:
        sentence = f"has no {VALUE}; without it the values of two writes look the same"
        yield (*path, "write"), sentence
    if not answer.read:
        yield (*path, "read"), "is missing; without it the lab cannot tell whether a value is lost"
    if answer.kind == "tcp" and not answer.write_expect:
        sentence = "is missing; without it the lab takes an error for an acknowledgment"
        yield (*path, "write-expect"), sentence
    if VALUE not in answer.read_expect:
        yield (*path, "read-expect"), f"has no {VALUE}; without it any value is the right one"
    for key, text in (("write", answer.write), ("read", answer.read)):
        if answer.kind == "http" and text and not _REQUEST.match(text):
            sentence = "must begin with a method and a path, as in 'PUT /key'"
            yield (*path, key), sentence
