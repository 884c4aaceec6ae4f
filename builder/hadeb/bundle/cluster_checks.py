# SPDX-License-Identifier: Apache-2.0
"""Whether [cluster] fits the agents, the units and the addresses of its bundle. Pure.

Only what is certain is a problem. An agent of another package is not looked into: the nodes may
have another release of it than this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface

from hadeb.bundle.model import Bundle
from hadeb.manifest.cluster import AnswerTable, ClusterTable, ResourceTable
from hadeb.manifest.cluster_rules import service_of
from hadeb.manifest.reader import Problem, suggestion
from hadeb.manifest.toml_lines import KeyPath
from hadeb.pacemaker.ocf import MetaData, Parameter

# With these, ocf-shellfuncs traces any agent.
_TRACING = {"trace_ra", "trace_file"}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = "true false yes no on off 1 0 y n t f ja nein".split()
# The agents that add an address to a node, and the parameter that names it.
_ADDRESS_AGENTS = {
    "ocf:heartbeat:IPaddr2": "ip",
    "ocf:heartbeat:IPaddr": "ip",
    "ocf:heartbeat:IPv6addr": "ipv6addr",
}
# Others of which a name says that they may.
_MAY_ADD_ADDRESSES = re.compile(r"(?i)vip|vrrp|keepalived|ctdb|move-ip|floating|ip-?$")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]+")


def cluster_problems(bundle: Bundle, agents: Mapping[str, MetaData]) -> Iterator[Problem]:
    """What is wrong for certain; `agents` has the meta-data of the bundle's own, by their names."""
    cluster = bundle.manifest.cluster
    if not cluster:
        return
    for index, resource in enumerate(cluster.resource):
        if meta_data := agents.get(resource.agent):
            yield from _parameter_problems(("cluster", "resource", index), resource, meta_data)
    if cluster.answer and not _is_carried(cluster, cluster.answer, bundle, agents):
        sentence = f"no resource has the address {cluster.answer.address}"
        known = ", ".join(_literal_addresses(cluster))
        remedy = f"ask {known}" if "," not in known else f"ask one of {known}"
        yield ("cluster", "answer", "address"), f"{sentence}; {remedy}, or add a resource for it"


def cluster_doubts(bundle: Bundle, agents: Mapping[str, MetaData]) -> Iterator[Problem]:
    """What is probably wrong, and may be right."""
    cluster = bundle.manifest.cluster
    if not cluster or not cluster.answer:
        return
    answer = cluster.answer
    name = service_of(bundle.manifest)
    service = next((each for each in cluster.resource if each.name == name), None)
    meta_data = agents.get(service.agent) if service else None
    if not service or not meta_data or "port" not in meta_data.parameters:
        return
    port = service.parameters.get("port", meta_data.parameters["port"].default)
    asked = str(answer.port)
    values = _values(cluster, agents)
    if answer.port is None or not port.isdecimal():
        return
    if not any(asked in re.findall("[0-9]+", value) for value in values):
        sentence = f"is {asked}, but {service.name} has the parameter port={port}"
        yield ("cluster", "answer", "port"), f"{sentence}; does something answer at {asked}?"


def _parameter_problems(
    path: KeyPath, resource: ResourceTable, meta_data: MetaData
) -> Iterator[Problem]:
    known = meta_data.parameters
    for name, value in resource.parameters.items():
        place = (*path, "parameters", name)
        if parameter := known.get(name):
            if refusal := _refusal(parameter, value):
                yield place, refusal
        elif name not in _TRACING:
            names = suggestion(name, known) if known else "it has none"
            yield place, f"{resource.agent} has no such parameter ({names})"
    for parameter in known.values():
        if parameter.required and parameter.name not in resource.parameters:
            sentence = f"is missing; {resource.agent} requires it"
            yield (*path, "parameters", parameter.name), sentence


def _refusal(parameter: Parameter, value: str) -> str | None:
    """Why a value is not of the parameter's type, None if it is."""
    what = f"{parameter.name} of the agent"
    # Agents whose default is not of the type that they name mean something else by it.
    match parameter.type:
        case "integer" if _is_integer(parameter.default or "0") and not _is_integer(value):
            return f"{value!r} is not a whole number, which {what} is"
        case "boolean" if _is_boolean(parameter.default or "0") and not _is_boolean(value):
            return f"{value!r} is neither true nor false, which {what} is"
        case "select" if parameter.options and value not in parameter.options:
            return f"{value!r} is not among the values of {what}: {', '.join(parameter.options)}"
    return None


def _is_integer(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value.strip()))


def _is_boolean(value: str) -> bool:
    return value.strip().lower() in _BOOLEANS


def _adds_address(resource: ResourceTable) -> bool:
    return resource.agent in _ADDRESS_AGENTS


def _literal_addresses(cluster: ClusterTable) -> list[str]:
    """The addresses that resources add to nodes; empty if one of them is not written as such."""
    addresses = []
    for resource in cluster.resource:
        if not _adds_address(resource):
            continue
        written = resource.parameters.get(_ADDRESS_AGENTS[resource.agent], "")
        try:
            addresses.append(str(ip_interface(written).ip))
        except ValueError:
            return []
    return addresses


def _is_carried(
    cluster: ClusterTable, answer: AnswerTable, bundle: Bundle, agents: Mapping[str, MetaData]
) -> bool:
    """Whether a resource may have the answer's address, or something else that nobody can see."""
    addresses = _literal_addresses(cluster)
    wanted = str(ip_address(answer.address))
    # Without a virtual address, clients ask a node's own.
    if not addresses or wanted in addresses:
        return True
    return _is_named(answer, bundle, agents)


def _is_named(answer: AnswerTable, bundle: Bundle, agents: Mapping[str, MetaData]) -> bool:
    """Whether something in the bundle may have the answer's address, in whatever way."""
    cluster = bundle.manifest.cluster
    wanted = str(ip_address(answer.address))
    if not cluster or (answer.kind == "command" and "{address}" not in (answer.command or "")):
        return True
    if any(_MAY_ADD_ADDRESSES.search(each.agent.rpartition(":")[2]) for each in cluster.resource):
        return True
    texts = _values(cluster, agents)
    for files in bundle.sources.values():
        texts += [
            file.content.decode("utf-8", "replace")
            for file in files
            if b"\0" not in file.content[:8192]
        ]
    return any(wanted == _normal(word) for text in texts for word in _ADDRESS.findall(text))


def _values(cluster: ClusterTable, agents: Mapping[str, MetaData]) -> list[str]:
    """What parameters are set to, and what the bundle's own agents take for them otherwise."""
    values = [value for each in cluster.resource for value in each.parameters.values()]
    defaults = (each.default for own in agents.values() for each in own.parameters.values())
    return [*values, *defaults]


def _normal(word: str) -> str:
    try:
        return str(ip_address(word))
    except ValueError:
        pass
    # What stands in a word with a port, 192.0.2.1:80, or at the end of a sentence.
    try:
        return str(ip_address(word.rpartition(":")[0].strip(".") or word.strip(".")))
    except ValueError:
        return ""
