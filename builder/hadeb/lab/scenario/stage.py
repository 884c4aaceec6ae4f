# SPDX-License-Identifier: Apache-2.0
"""A cluster with a scenario on it: what the faults act on, and how it is brought back after one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from hadeb.lab.client.answers import SOMEBODY, to_service
from hadeb.lab.client.watch import Watch
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.node.node import Node
from hadeb.lab.scenario.scenario import Scenario

PATIENCE = 60.0


@dataclass
class Stage:
    """A running cluster with the scenario on it. `victim` is the node that the fault is for."""

    cluster: Cluster
    scenario: Scenario
    watch: Watch
    victim: Node

    @property
    def port(self) -> int:
        """The port that the service answers at, 0 where it has none."""
        return self.scenario.answer.port or 0

    def daemon(self) -> list[int]:
        """The processes that listen at the service's port on the victim, by the node's numbers."""
        if not self.port:
            return []
        told = self.victim.exec("ss", "-Hltnp", f"sport = :{self.port}").stdout
        return sorted({int(number) for number in re.findall(r"pid=(\d+)", told)})

    def unit(self) -> str:
        """The systemd unit that the daemon is in, empty where it is none of its own."""
        for pid in self.daemon():
            group = self.victim.exec("cat", f"/proc/{pid}/cgroup", check=False).stdout
            name = group.strip().rpartition("/")[2]
            if name.endswith(".service") and not name.startswith("pacemaker"):
                return name
        return ""

    def unit_type(self) -> str:
        """How systemd learns that the daemon is ready; empty where it is in no unit of its own."""
        unit = self.unit()
        shown = ("systemctl", "show", "--property=Type", "--value", unit)
        return self.victim.exec(*shown).stdout.strip() if unit else ""

    def signal(self, name: str) -> None:
        """Send a signal to the daemon."""
        pids = [str(pid) for pid in self.daemon()]
        if pids:
            self.victim.exec("kill", "-s", name, *pids, check=False)

    def serving(self) -> str:
        """The node that serves: who answered last, or whom the cluster names; empty if nobody."""
        heard = [one.who for one in to_service(self.watch.answers)[-20:] if one.who]
        if heard and heard[-1] and heard[-1] != SOMEBODY:
            return heard[-1]
        return self.believed() if heard else ""

    def believed(self) -> str:
        """The node that the cluster says the service runs on, empty where it runs on none."""
        return self.cluster.where(self.scenario.leader) or ""

    def restore(self, *, patience: float = PATIENCE) -> None:
        """Bring all nodes back with the service on one of them; HadebError where that fails.

        `patience` is how many seconds clients wait for an answer once the cluster is at rest.
        """
        cluster = self.cluster
        cluster.deaf.clear()
        self._turn_on()
        for node in cluster.status().standbys:
            cluster.pcs(f"node unstandby {node}")
        cluster.settle()
        # What the fault began may have gone on until now, and ended with a node fenced.
        if self._turn_on():
            cluster.settle()
        # Failures that were counted would add up over the trials.
        status = cluster.status()
        if status.failures or status.fail_count(self.scenario.service):
            cluster.any.exec("crm_resource", "--cleanup", check=False)
            cluster.settle()
        begun = time.monotonic()
        self.watch.until(
            lambda answers: any(one.who and one.asked > begun for one in to_service(answers)),
            timeout=patience,
            what="the service did not come back",
        )

    def _turn_on(self) -> bool:
        """Boot each node that is off, and wait for a whole cluster; whether there was one."""
        off = [node for node in self.cluster.nodes if not node.is_on]
        for node in off:
            node.boot()
        self.cluster.wait_online(timeout=PATIENCE)
        return bool(off)
