# SPDX-License-Identifier: Apache-2.0
"""Prove a bundle: put it on a real cluster, and try the faults one after another."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
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
            f"it failed before anything was done to it: {one}" for one in cluster.failures()
        ]
        complaints += _unable(cluster)
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


def _unable(cluster: Cluster) -> list[str]:
    """What nodes have not got to run a resource, a sentence each.

    To Pacemaker a probe that finds no agent is no failure: such a node does not run it, either.
    """
    status = ET.fromstring(cluster.any.exec("cibadmin", "--query", "--scope=status").stdout)
    found = {
        f"{node.get('uname')} cannot run {one.get('id')}: not installed"
        + (f" ({reason})" if (reason := operation.get("exit-reason")) else "")
        for node in status.iter("node_state")
        for one in node.iter("lrm_resource")
        for operation in one.iter("lrm_rsc_op")
        if operation.get("rc-code") == "5"
    }
    return sorted(found)
