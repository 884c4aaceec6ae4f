# SPDX-License-Identifier: Apache-2.0
"""The results of a lab run as plain values, and a run in a few numbers. Pure; times in seconds.

A trial's clock starts when its fault is injected: earlier times are negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median_high

from hadeb.lab.client.answers import Turn
from hadeb.lab.client.stored import Reading


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while a trial ran.

    `node` is empty if it happened to the whole cluster or to the network. `kind` is where it comes
    from: "fault" is what the lab did, "cluster" what Pacemaker, corosync or systemd logged, "words"
    what an agent or a daemon did.
    """

    at: float
    node: str
    text: str
    kind: str = "cluster"


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, and how the cluster came through it.

    `outage` is the longest time without an answer, None if the service did not come back; `budget`
    is the longest that the manifest allows, None if it sets no limit. `before` and `after` are the
    nodes that served, empty if none did. `turns` are the answers through the service's address,
    `direct` those at each node's own, both from `answers.turns` with `apart=TOGETHER`, so that a
    silence shows. `refused` counts the connections that got no answer. `shortfalls` are sentences
    that say what fell short; a trial without any has passed. `readings` are the reads of the value
    that was written before the fault, none if the manifest does not say how. `cause` says what a
    longer outage was spent on, `remedies` what to change, and `words` are what agents and daemons
    logged before an action failed. `late` is the longest time that the lab's own client did not
    run, which does not count as an outage. `logs` are the files with the nodes' logs, relative to
    the report.
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
    readings: tuple[Reading, ...] = ()
    cause: str = ""
    remedies: tuple[str, ...] = ()
    words: tuple[Event, ...] = ()
    late: float = 0.0
    logs: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing fell short."""
        return not self.shortfalls


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A fault that makes no sense for the bundle, and why."""

    fault: str
    reason: str


@dataclass(frozen=True, slots=True)
class Version:
    """A program that took part, and its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Run:
    """All trials of one way to run the service; its agent is the label.

    `left_out` are the faults that could not be tried with this bundle.
    """

    label: str
    trials: tuple[Trial, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole `hadeb lab run`.

    `versions` are those of hadeb and of the nodes' programs. `began` is UTC in ISO 8601; `ready` is
    how long the cluster took to boot until all nodes were online. The first of `runs` is the
    bundle's own; a second one is what it is compared with. `mapped` says what in the lab stands for
    what the manifest names, `data` where the bundle keeps data and whether that moves with the
    service, a sentence each.
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
    mapped: tuple[str, ...] = ()
    versions: tuple[Version, ...] = ()
    data: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing fell short in the bundle's own run."""
        return all(trial.passed for trial in self.runs[0].trials)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many of a run's trials fell short, their worst and median outage, and the lab's lateness.

    The median of an even number of outages is the upper one. An outage that did not end counts as
    the longest of all: `worst`, and with many of them `median`, is None then. Both are None if
    there were no trials. `late` is the longest time that the lab's own client did not run.
    """

    trials: int
    failed: int
    worst: float | None
    median: float | None
    late: float = 0.0


def failures_first(run: Run) -> list[Trial]:
    """The trials in the order in which they are worth reading."""
    return sorted(run.trials, key=lambda trial: trial.passed)


def totals(run: Run) -> Totals:
    """The numbers of a run."""
    outages = [math.inf if trial.outage is None else trial.outage for trial in run.trials]
    return Totals(
        trials=len(run.trials),
        failed=sum(not trial.passed for trial in run.trials),
        worst=_finite(max(outages, default=math.inf)),
        median=_finite(median_high(outages) if outages else math.inf),
        late=max((trial.late for trial in run.trials), default=0.0),
    )


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds
