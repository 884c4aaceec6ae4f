# SPDX-License-Identifier: Apache-2.0
"""A cluster with a scenario on it: the faults act on it, and it is restored after each one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from hadeb.lab.client.answers import UNNAMED, to_service
from hadeb.lab.client.watch import Watch
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.node.node import Node
from hadeb.lab.scenario.scenario import Scenario

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the lab did or saw on a node; `at` is monotonic, in seconds."""

    at: float
    node: str
    text: str


@dataclass
class Stage:
    """A running cluster with the scenario on it. `victim` is the node that a fault is aimed at.

    A fault of several steps adds them to `steps`, and sentences about what fell short in one of
    them to `shortfalls`.
    """

    cluster: Cluster
    scenario: Scenario
    watch: Watch
    victim: Node
    steps: list[Step] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)

    def step(self, node: str, text: str) -> None:
        """Add a step that has just been taken."""
        self.steps.append(Step(time.monotonic(), node, text))

    @property
    def port(self) -> int:
        """The port that the service answers at, 0 if it has none."""
        return self.scenario.answer.port or 0

    def daemon(self) -> list[int]:
        """The PIDs, as the victim sees them, of the processes that listen at the service's port."""
        if not self.port:
            return []
        listing = self.victim.exec("ss", "-Hltnp", f"sport = :{self.port}").stdout
        return sorted({int(number) for number in re.findall(r"pid=(\d+)", listing)})

    def unit(self) -> str:
        """The systemd unit that the daemon is in, empty if it has none of its own."""
        for pid in self.daemon():
            group = self.victim.exec("cat", f"/proc/{pid}/cgroup", check=False).stdout
            name = group.strip().rpartition("/")[2]
            if name.endswith(".service") and not name.startswith("pacemaker"):
                return name
        return ""

    def unit_type(self) -> str:
        """The Type of the daemon's unit (systemd.service(5)); empty if it is in none of its own."""
        unit = self.unit()
        shown = ("systemctl", "show", "--property=Type", "--value", unit)
        return self.victim.exec(*shown).stdout.strip() if unit else ""

    def signal(self, name: str) -> None:
        """Send a signal to the daemon."""
        pids = [str(pid) for pid in self.daemon()]
        if pids:
            self.victim.exec("kill", "-s", name, *pids, check=False)

    def serving(self) -> str:
        """The node that answered last or, if answers name no node, the cluster's; empty if none."""
        latest = to_service(self.watch.answers)[-20:]
        nodes = [answer.who for answer in latest if answer.who]
        if nodes and nodes[-1] != UNNAMED:
            return nodes[-1]
        return self.believed() if nodes else ""

    def believed(self) -> str:
        """The node that the cluster says the service runs on, empty if there is none."""
        return self.cluster.where(self.scenario.leader) or ""

    def restore(self, *, patience: float = PATIENCE) -> None:
        """Bring all nodes back with the service on one of them; HadebError if that fails.

        `patience` is how many seconds to wait for an answer once the cluster has settled.
        """
        cluster = self.cluster
        cluster.unreachable.clear()
        self._turn_on()
        for node in cluster.status().standbys:
            cluster.pcs(f"node unstandby {node}")
        cluster.settle()
        # The fault may have had effects until now, and ended with a node fenced.
        if self._turn_on():
            cluster.settle()
        # Fail counts would add up over the trials.
        status = cluster.status()
        if status.failures or status.fail_count(self.scenario.service):
            cluster.any.exec("crm_resource", "--cleanup", check=False)
            cluster.settle()
        begun = time.monotonic()
        self.watch.until(
            lambda answers: any(
                answer.who and answer.asked > begun for answer in to_service(answers)
            ),
            timeout=patience,
            what="the service did not come back",
        )

    def _turn_on(self) -> bool:
        """Boot each node that is off, and wait for the whole cluster; whether any node was off."""
        off = [node for node in self.cluster.nodes if not node.is_on]
        for node in off:
            node.boot()
        self.cluster.wait_online(timeout=PATIENCE)
        return bool(off)
