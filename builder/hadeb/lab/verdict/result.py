# SPDX-License-Identifier: Apache-2.0
"""What the lab found out about a bundle. Plain values, all times in seconds.

A trial's clock starts at the moment of its fault: what was before has a negative time.
"""

from __future__ import annotations

from dataclasses import dataclass

from hadeb.lab.client.answers import Turn


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while a trial ran.

    `node` is empty where it happened to the cluster as a whole or to the network. `kind` says who
    tells it: "fault" is what the lab did, "cluster" what Pacemaker, corosync or systemd logged.
    """

    at: float
    node: str
    text: str
    kind: str = "cluster"


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, and how the cluster came through it.

    `outage` is the longest time without an answer, None where the service did not come back;
    `budget` is the longest that the manifest allows, None where it names none. `before` and
    `after` are the nodes that served, empty where nobody did. `turns` are the answers through the
    service's address, `direct` those at each node's own, both from `answers.turns` with
    `apart=TOGETHER`, so that a silence shows. `refused` counts the connections that
    got no answer. `shortfalls` says what fell short, a sentence each: without one the trial is
    passed. `logs` are the files with the nodes' logs, relative to the report.
    """

    fault: str
    did: str
    expected: str
    seconds: float
    outage: float | None = None
    budget: float | None = None
    before: str = ""
    after: str = ""
    turns: tuple[Turn, ...] = ()
    direct: tuple[Turn, ...] = ()
    refused: int = 0
    events: tuple[Event, ...] = ()
    shortfalls: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing fell short."""
        return not self.shortfalls


@dataclass(frozen=True, slots=True)
class Run:
    """All trials of one way to run the service: its agent is the label."""

    label: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole `hadeb lab run`. `began` is UTC in ISO 8601; `ready` is how long the cluster took
    from nothing to all nodes online. The first of `runs` is the bundle's own, a second one is
    what it is compared with.
    """

    package: str
    version: str
    suite: str
    nodes: tuple[str, ...]
    commands: tuple[str, ...]
    began: str
    ready: float
    seconds: float
    runs: tuple[Run, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing fell short in the bundle's own run."""
        return all(trial.passed for trial in self.runs[0].trials)
