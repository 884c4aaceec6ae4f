# SPDX-License-Identifier: Apache-2.0
"""The last words of agents and daemons before something failed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hadeb.lab.verdict.events import BEGUN, Operation, lines
from hadeb.lab.verdict.result import Event

# Programs of the node and of the cluster. What any other one logs comes from the bundle.
_SYSTEM = re.compile(
    r"systemd(-.*)?|kernel|corosync.*|pacemaker.*|chronyd|dbus-.*|sshd|login|cron|\(.*\)|crm_.*"
    r"|attrd_updater|cibadmin|pcs.*|stonith.*|fence_lab|report-lost|dpkg.*|nsenter|sudo|su|root"
)
# How ocf_log names an agent and its resource.
_LIBRARY = re.compile(r"\S+?\((\S+)\)")
# What an agent wrote to stderr, in the executor's log; and of the units, how they failed.
_AGENT = re.compile(r"(\S+)_(\w+)_\d+\[\d+\] error output \[ (?:ocf-exit-reason:)?(.*) \]")
_UNIT = re.compile(
    r"(\S+\.service: (?:Main process exited|Failed|State '.*' timed out|Watchdog|Killing|"
    r"Control process exited|Start request).*)"
)
_BEFORE, _AFTER = 5.0, 1.0
# Of each failed action, and of a whole trial.
_FEW, _MOST = 6, 18


def last_words(
    failures: Sequence[Operation],
    course: Sequence[Operation],
    journals: Iterable[str],
    zero: float,
) -> tuple[Event, ...]:
    """What was logged on the nodes of failed operations until they failed, latest kept.

    `course` are all operations; `zero` is the fault's time in seconds since 1970, and times of
    operations and events are seconds from it.
    """
    logged = [
        (resource, Event(round(at - zero, 3), host, text, "words"))
        for journal in journals
        for at, host, program, line in lines(journal)
        for resource, text in _words(program, line)
    ]
    words: dict[Event, None] = {}
    for failure in failures:
        begun = max(
            (
                other.at
                for other in course
                if (other.action, other.resource, other.node, other.result)
                == (failure.action, failure.resource, failure.node, BEGUN)
                and other.at <= failure.at
            ),
            default=failure.at,
        )
        heard = [
            event
            for resource, event in logged
            if event.node == failure.node
            and resource in {"", failure.resource}
            and min(begun, failure.at) - _BEFORE <= event.at <= failure.at + _AFTER
        ]
        words |= dict.fromkeys(_distinct(heard)[-_FEW:])
    return tuple(sorted(words, key=lambda event: event.at)[:_MOST])


def _distinct(events: Sequence[Event]) -> list[Event]:
    """The events in order, of several with the same text the last one."""
    last = {event.text: event for event in sorted(events, key=lambda event: event.at)}
    return sorted(last.values(), key=lambda event: event.at)


def _words(program: str, line: str) -> Iterator[tuple[str, str]]:
    """The words of a line, and the resource whose agent's they are; empty for a daemon's."""
    if match := _AGENT.search(line):
        yield match[1], f"{match[2]} of {match[1]}: {match[3]}"
    elif program == "systemd":
        if match := _UNIT.search(line):
            yield "", match[1]
    elif match := _LIBRARY.fullmatch(program):
        yield match[1], f"{program}: {line}"
    elif not _SYSTEM.fullmatch(program):
        yield "", f"{program}: {line}"
