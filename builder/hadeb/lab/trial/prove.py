# SPDX-License-Identifier: Apache-2.0
"""Prove a bundle: put it on a real cluster, and try the faults one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.releases import Suite
from hadeb.errors import HadebError
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.catalogue import Fault
from hadeb.lab.scenario.scenario import Scenario, deploy
from hadeb.lab.trial.trial import Unmended, attempt
from hadeb.lab.verdict.result import Trial
from hadeb.pacemaker.cib import not_installed

START = "started"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a proof says while it goes on: a trial that has ended, or why one is left out."""

    fault: str
    trial: Trial | None
    reason: str = ""


class Proof:
    """The trials of one scenario. `ready` is how long its first cluster took, in seconds."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        suite: Suite,
        size: int,
        logs: Path,
        debug: Callable[[str], None],
        report: Callable[[Progress], None],
    ) -> None:
        self.scenario = scenario
        self.suite: Suite = suite
        self.size = size
        self.logs = logs
        self.ready = 0.0
        self.nodes: tuple[str, ...] = ()
        self._debug = debug
        self._report = report

    def run(self, faults: Sequence[Fault]) -> tuple[Trial, ...]:
        """Try each fault; where the cluster does not come back, the next fault gets a new one."""
        left = list(faults)
        found: list[Trial] = []
        while left or not found:
            try:
                found.extend(self._on_one_cluster(left, first=not found))
            except HadebError as error:
                if not found:
                    raise
                # What was found until then is worth a report.
                rest = ", ".join(fault.name for fault in left) or "nothing"
                found.append(self._ended(_broken("lab", f"{error.message}; not tried: {rest}")))
                break
            if not found[0].passed and found[0].fault == START:
                break
        return tuple(found)

    def _on_one_cluster(self, left: list[Fault], *, first: bool) -> Iterator[Trial]:
        begun = time.monotonic()
        with Cluster(
            self.suite,
            size=self.size,
            fencing=True,
            totem=self.scenario.table.totem,
            packages=self.scenario.packages,
            # The boot is one step of the proof.
            info=self._debug,
        ) as cluster:
            if first:
                self.ready = time.monotonic() - begun
                self.nodes = tuple(node.name for node in cluster.nodes)
            self._debug(f"installing {self.scenario.deb.name}, and starting its resources")
            trial = _start(cluster, self.scenario)
            if first or not trial.passed:
                yield self._ended(trial)
            if not trial.passed:
                left.clear()
            while left:
                fault = left.pop(0)
                self._debug(f"trying {fault.name}")
                try:
                    done = attempt(cluster, self.scenario, fault, self.logs)
                except Unmended as failure:
                    yield self._ended(failure.trial)
                    return
                except HadebError as error:
                    yield self._ended(_broken(fault.name, error.message))
                    return
                if isinstance(done, str):
                    self._report(Progress(fault.name, None, done))
                else:
                    yield self._ended(done)

    def _ended(self, trial: Trial) -> Trial:
        self._report(Progress(trial.fault, trial))
        return trial


def _broken(fault: str, why: str) -> Trial:
    """A fault that the lab could not try to its end."""
    return Trial(
        fault=fault,
        did="the lab could not try it",
        expected="every fault can be tried",
        seconds=0.0,
        shortfalls=(why,),
    )


def _start(cluster: Cluster, scenario: Scenario) -> Trial:
    """Install and configure; what the cluster says against it."""
    begun = time.monotonic()
    complaints, node = [], ""
    try:
        deploy(cluster, scenario)
        complaints = [
            f"it failed before anything was done to it: {one}" for one in cluster.status().failures
        ]
        complaints += not_installed(
            cluster.any.exec("cibadmin", "--query", "--scope=status").stdout
        )
        node = cluster.where(scenario.leader) or ""
        if not complaints and not cluster.where(scenario.service):
            complaints = [f"the cluster starts {scenario.service} nowhere"]
    except HadebError as error:
        complaints = [error.message]
    return Trial(
        fault=START,
        did="the package was installed on all nodes, and its resources were made",
        expected="every node can run the service, and one does",
        seconds=time.monotonic() - begun,
        outage=0.0,
        after="" if complaints else node,
        shortfalls=tuple(complaints),
    )
