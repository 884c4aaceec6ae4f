# SPDX-License-Identifier: Apache-2.0
"""What nodes logged during a trial, as events that a reader can follow. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hadeb.lab.verdict.result import Event

# A line of `journalctl --output=short-unix`: seconds since 1970, host, program[pid]: text.
_LINE = re.compile(r"(\d+\.\d+) (\S+) ([^\s\[:]+)(?:\[\d+\])?: (.*)")
_OPERATION = re.compile(
    r"Result of (start|stop|promote|demote|monitor|probe|reload) operation"
    r" for (\S+) on (\S+): (.+)"
)
# The crash hook's report is an operation of no schedule.
_REPORTED = re.compile(r"Result of asyncmon operation for (\S+) on (\S+): (.+)")
_FENCED = re.compile(r"Peer (\S+) was terminated .*: OK")
_WHY_FENCED = re.compile(r"[Nn]ode (\S+) will be fenced: (.+)")
_COUNT = re.compile(
    r"Setting fail-count-(\S+)#(\w+)_\d+\[(\S+)\].*: \S+ -> (\d+|INFINITY|\(unset\))"
)
_BEGINNING = re.compile(r"Requesting local execution of (\w+) operation for (\S+) on (\S+)")
_DONE = {"start": "started", "stop": "stopped", "promote": "promoted", "demote": "demoted"}
# The results of Pacemaker 2.1 and 3.0, which differ in capitals.
_SUCCESS = ("ok", "promoted", "master")
_UNIT = r"(\S+)\.service: "
# What to look for in the logs, and what the report makes of it.
_SIGNS = (
    (re.compile(r"Peer (\S+) was terminated .*: OK"), r"\1 is fenced: its power is cut"),
    (re.compile(r"Peer (\S+) was not terminated .*: (.*)"), r"fencing of \1 failed: \2"),
    (re.compile(r"\[TOTEM \] A processor failed"), "corosync misses a node"),
    (re.compile(r"\[TOTEM \] A new membership .* Members left: (.*)"), "corosync: a node has left"),
    (re.compile(r"\[TOTEM \] Failed to receive the leave message.*"), "corosync lost a node"),
    (re.compile(r"\[QUORUM\] This node is within the non-primary"), "lost the quorum"),
    (re.compile(r"told Pacemaker that (\S+) ended on \S+"), r"told Pacemaker that \1 ended"),
    (re.compile(_UNIT + r"Main process exited, code=(\w+), status=(\S+)"), r"\1 ended (\2 \3)"),
    (re.compile(_UNIT + "Watchdog timeout"), r"systemd's watchdog missed \1"),
)


BEGUN = "begun"
# The action of what the crash hook reported.
REPORTED = "asyncmon"


@dataclass(frozen=True, slots=True)
class Operation:
    """The end of an operation, or its start with the result BEGUN; `at` is seconds since 1970."""

    at: float
    action: str
    resource: str
    node: str
    result: str

    @property
    def succeeded(self) -> bool:
        """Whether the agent returned 0, or its monitor OCF_RUNNING_PROMOTED."""
        return self.result.lower().startswith(_SUCCESS)


@dataclass(frozen=True, slots=True)
class Fencing:
    """A node whose power the cluster cut, with the scheduler's reason; empty if it logged none."""

    at: float
    node: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many failures of a recurring or other action the cluster counted on a node."""

    at: float
    resource: str
    action: str
    node: str
    count: int


def operations(journal: str) -> list[Operation]:
    """The operations in the output of `journalctl --output=short-unix`."""
    logged = []
    for at, _, _, text in lines(journal):
        if match := _OPERATION.search(text):
            action, resource, node, result = match.groups()
            logged.append(Operation(at, action, resource, node, result))
        elif match := _BEGINNING.search(text):
            action, resource, node = match.groups()
            logged.append(Operation(at, action, resource, node, BEGUN))
        elif match := _REPORTED.search(text):
            resource, node, result = match.groups()
            logged.append(Operation(at, REPORTED, resource, node, result))
    return logged


def fencings(journals: Iterable[str]) -> tuple[Fencing, ...]:
    """The nodes that were fenced, each once, at the time of the first node that logged it."""
    first: dict[str, float] = {}
    why: dict[str, str] = {}
    for at, _, _, text in sorted(line for journal in journals for line in lines(journal)):
        if (match := _WHY_FENCED.search(text)) and match[1] not in first:
            why.setdefault(match[1], match[2])
        elif match := _FENCED.search(text):
            first.setdefault(match[1], at)
    return tuple(Fencing(at, node, why.get(node, "")) for node, at in first.items())


def counts(journal: str) -> tuple[Count, ...]:
    """Each change of a fail count on the node whose journal this is."""
    logged = []
    for at, host, _, text in lines(journal):
        if (match := _COUNT.search(text)) and match[3] == host:
            # Infinity stands for a start or a stop that failed once.
            number = int(match[4]) if match[4].isdecimal() else int(match[4] == "INFINITY")
            logged.append(Count(at, match[1], match[2], match[3], number))
    return tuple(logged)


def events(journals: Iterable[str], zero: float) -> tuple[Event, ...]:
    """The events of nodes' journals, in order; `zero` is the fault's time in seconds since 1970."""
    logged = {event for journal in journals for event in _events(journal, zero)}
    return tuple(sorted(logged, key=lambda event: (event.at, event.node, event.text)))


def _events(journal: str, zero: float) -> Iterator[Event]:
    for at, host, _, text in lines(journal):
        moment = round(at - zero, 3)
        if match := _OPERATION.search(text):
            action, resource, node, result = match.groups()
            if sentence := _sentence(action, resource, result):
                yield Event(moment, node, sentence)
            continue
        for sign, meaning in _SIGNS:
            if match := sign.search(text):
                yield Event(moment, host, match.expand(meaning))


def _sentence(action: str, resource: str, result: str) -> str:
    succeeded = result.lower().startswith(_SUCCESS)
    if succeeded and action in _DONE:
        return f"{resource} {_DONE[action]}"
    # Skip probes that find nothing, and successful monitors in either role.
    if succeeded or (action == "probe" and result.lower().startswith("not running")):
        return ""
    return f"{action} of {resource} failed: {result}"


def lines(journal: str) -> Iterator[tuple[float, str, str, str]]:
    """Time in seconds since 1970, host, program and text of each line of a journal."""
    for line in journal.splitlines():
        if match := _LINE.match(line):
            yield float(match[1]), match[2], match[3], match[4]
