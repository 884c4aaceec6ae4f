# SPDX-License-Identifier: Apache-2.0
"""The operations that pcs gives a resource beside those that the manifest names. Pure.

pcs copies every action that the agent advertises and the manifest does not name; crmsh copies none.
So that both make the same cluster, hadeb works out here what pcs does (pcs 0.11 and 0.12,
pcs/lib/cib/resource/agent.py and operations.py), and prints it for crmsh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hadeb.manifest.cluster import OperationTable, ResourceTable
from hadeb.manifest.values import seconds
from hadeb.pacemaker.ocf import Action, MetaData

# What Pacemaker itself advertises for the classes that are no files (crm_resource --show-metadata).
_SYSTEMD = (
    Action("start", timeout="100s"),
    Action("stop", timeout="100s"),
    Action("monitor", timeout="100s", interval="60s"),
)
_LSB = (
    Action("start", timeout="15s"),
    Action("stop", timeout="15s"),
    Action("monitor", timeout="15s", interval="15s"),
)
_OF_CLASS = {"systemd": _SYSTEMD, "service": _SYSTEMD, "lsb": _LSB}
# Actions that no cluster runs.
_NO_OPERATIONS = {"meta-data", "validate-all", "status"}
_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}
_INTERVAL = "60s"
# The options of an operation that are for Pacemaker; others are for the agent.
_ATTRIBUTES = (
    *("interval", "timeout", "on-fail", "role", "start-delay", "interval-origin", "enabled"),
    *("record-pending", "description"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a resource, and its options as pcs and crmsh take them."""

    name: str
    options: Mapping[str, str]


def named_operations(resource: ResourceTable) -> list[Operation]:
    """The operations that the manifest names."""
    return [Operation(each.name, _options(each)) for each in resource.operations]


def shown_operations(resource: ResourceTable) -> list[Operation]:
    """The operations to print for pcs: the named ones, and a monitor where none is to be seen.

    An agent's file shows its intervals, and a unit shows none.
    """
    named = named_operations(resource)
    actions = _OF_CLASS.get(resource.agent.partition(":")[0], ())
    monitors = [action for action in actions if action.name == "monitor"]
    return [*named, *_unnamed(monitors, named)]


def all_operations(resource: ResourceTable, meta_data: MetaData | None) -> list[Operation]:
    """The operations that pcs makes; `meta_data` is the agent's, None if it is not known.

    Where it is not known there are monitors, and nothing else that is not named.
    """
    named = named_operations(resource)
    return [*named, *_unnamed(_actions(resource, meta_data), named)]


def _actions(resource: ResourceTable, meta_data: MetaData | None) -> Sequence[Action]:
    of_class = _OF_CLASS.get(resource.agent.partition(":")[0])
    if of_class:
        return of_class
    if not meta_data:
        return _guessed(resource)
    if any(action.name == "monitor" for action in meta_data.actions):
        return meta_data.actions
    return (*meta_data.actions, Action("monitor"))


def is_known(resource: ResourceTable, meta_data: MetaData | None) -> bool:
    """Whether all operations of a resource are known."""
    return meta_data is not None or resource.agent.partition(":")[0] in _OF_CLASS


def _guessed(resource: ResourceTable) -> tuple[Action, ...]:
    """Monitors for an agent of which nothing is known."""
    if resource.copies != "promotable":
        return (Action("monitor", interval="10s"),)
    return (
        Action("monitor", interval="10s", role="Promoted"),
        Action("monitor", interval="11s", role="Unpromoted"),
    )


def _unnamed(actions: Iterable[Action], named: Iterable[Operation]) -> Iterator[Operation]:
    """The actions as operations, but for those of a name that the manifest names."""
    taken = {operation.name for operation in named} | _NO_OPERATIONS
    intervals: set[tuple[str, int]] = set()
    for action in actions:
        if action.name not in taken:
            yield Operation(action.name, _advertised(action, intervals))


def _advertised(action: Action, intervals: set[tuple[str, int]]) -> dict[str, str]:
    interval = action.interval or (_INTERVAL if action.name == "monitor" else "")
    if interval:
        interval = _free(action.name, interval, intervals)
    options = {
        "interval": interval,
        "timeout": action.timeout,
        "start-delay": action.start_delay,
        "role": _ROLES.get(action.role, action.role),
        "OCF_CHECK_LEVEL": action.depth if action.depth != "0" else "",
    }
    return {name: value for name, value in options.items() if value}


def _free(name: str, interval: str, taken: set[tuple[str, int]]) -> str:
    """The interval, or the next that no other operation of this name has, as pcs counts them."""
    try:
        number = written = seconds(interval)
    except (KeyError, ValueError):
        return interval
    while (name, number) in taken:
        number += 1
    taken.add((name, number))
    return interval if number == written else str(number)


def _options(operation: OperationTable) -> dict[str, str]:
    named = {
        "interval": operation.interval,
        "timeout": operation.timeout,
        "on-fail": operation.on_fail,
        "role": operation.role,
    }
    options = {**{key: value for key, value in named.items() if value}, **operation.options}
    # crmsh takes no attribute of the operation after one that is for the agent.
    return dict(sorted(options.items(), key=lambda option: option[0] not in _ATTRIBUTES))
