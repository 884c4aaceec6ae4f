# SPDX-License-Identifier: Apache-2.0
"""Everything that a trial recorded, as one value. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hadeb.lab.client.answers import Answer
from hadeb.lab.client.outage import Stall
from hadeb.lab.fault.catalogue import Fault
from hadeb.lab.verdict.data import DataEvidence
from hadeb.lab.verdict.events import Count, Fencing, Operation
from hadeb.pacemaker.operations import Schedule


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a trial recorded. Times are seconds from the moment of the fault.

    `answers` end when the cluster had settled; `operations`, `fencings` and `counts` have the same
    clock, and go on until the lab has restored the cluster, which it begins to do at `ended`.
    `believed` is the node that the cluster says it runs the service on; a clone runs and answers on
    several nodes, a promotable one may answer on one alone. `unit_type` is the Type of the daemon's
    systemd unit, empty without a unit. `complaint` is what went wrong with the fault itself.
    `stalls` are the times in which the lab's own client did not run. `agents` has the agent of each
    resource, `schedules` the intervals and timeouts of its actions. `data` is what became of a
    value that a client wrote before the fault.
    """

    fault: Fault
    service: str
    before: str
    after: str
    believed: str
    returned: bool
    answers: Sequence[Answer]
    operations: Sequence[Operation]
    blocked: Sequence[str]
    budget: float | None
    copies: Literal["one", "clone", "promotable"]
    unit_type: str = ""
    complaint: str = ""
    nodes: Sequence[str] = ()
    coordinator: str = ""
    fencings: Sequence[Fencing] = ()
    counts: Sequence[Count] = ()
    orphans: Sequence[str] = ()
    ended: float = math.inf
    stalls: Sequence[Stall] = ()
    agents: Mapping[str, str] = field(default_factory=dict)
    schedules: Sequence[Schedule] = ()
    data: DataEvidence = field(default_factory=DataEvidence)

    def agent(self, resource: str) -> str:
        """The agent of a resource, or what stands for it."""
        return self.agents.get(resource, "the agent")

    def schedule(self, resource: str, action: str) -> Schedule | None:
        """The shortest interval and its timeout, of an action of a resource; None if unknown."""
        own = [
            each for each in self.schedules if (each.resource, each.action) == (resource, action)
        ]
        return min(own, key=lambda each: each.interval, default=None)
