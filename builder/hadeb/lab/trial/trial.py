# SPDX-License-Identifier: Apache-2.0
"""One fault on a running cluster: inject it, wait for the service, and restore the cluster."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.lab.client.answers import SERVICE, TOGETHER, Answer, to_service, turns, unanswered
from hadeb.lab.client.outage import Stall
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.actions import ACTIONS
from hadeb.lab.fault.catalogue import EXPECTED, Fault
from hadeb.lab.host.wait import wait_until
from hadeb.lab.scenario.scenario import Scenario
from hadeb.lab.scenario.stage import PATIENCE, Stage
from hadeb.lab.trial.data import TrialData
from hadeb.lab.trial.record import Record, with_findings
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.result import Event, Trial
from hadeb.lab.verdict.verdict import named, outage_of, shortfalls
from hadeb.pacemaker.status import Status

# Seconds that are shown before a fault, and watched after its end.
_BEFORE, _AFTER = 1.0, 1.0
_SETTLED = 0.5
_POLL = 0.05
_LAST_CHANCE = 10.0


class ClusterLost(HadebError):
    """The cluster did not come back after a fault; `trial` holds the results until then."""

    def __init__(self, trial: Trial, why: str) -> None:
        super().__init__(why)
        self.trial = trial


def attempt(cluster: Cluster, scenario: Scenario, fault: Fault, logs: Path) -> Trial | str:
    """Try a fault; the trial, or the reason why it cannot be tried with this bundle.

    Raises ClusterLost if the cluster cannot be used any more. Logs of a trial that fell short go
    below the directory `logs`.
    """
    begun = time.time()
    with cluster.watch(scenario.answer) as watch:
        try:
            watch.until(
                lambda answers: sum(bool(answer.who) for answer in to_service(answers)) > 20,
                timeout=30,
                what="no answer before the fault",
            )
            stage = Stage(cluster, scenario, watch, cluster.any)
            stage.victim = cluster[stage.serving()]
            if obstacle := ACTIONS[fault.name].obstacle(stage):
                return obstacle
            trying = _Attempt(stage, fault, logs)
        except HadebError as error:
            # The other faults can still be tried.
            record = Record.read(cluster, logs, since=begun - _BEFORE, zero=begun)
            trial = _untried(fault, error.message)
            evidence = record.evidence(fault, scenario, cluster)
            trial = with_findings(trial, evidence, record)
            raise ClusterLost(trial, error.message) from error
        return trying.run()


def _untried(fault: Fault, why: str) -> Trial:
    return Trial(
        fault=fault.name,
        did="nothing was done: the cluster was not as it should be before the fault",
        expected=EXPECTED[fault.expected],
        seconds=0.0,
        shortfalls=(f"could not be tried: {why}",),
    )


class _Attempt:
    """One trial. Its clock is monotonic; add `epoch` to get the clock of the logs."""

    def __init__(self, stage: Stage, fault: Fault, logs: Path) -> None:
        self.stage, self.fault, self.logs = stage, fault, logs
        self.action = ACTIONS[fault.name]
        self.zero = time.monotonic()
        self.epoch = time.time() - self.zero
        self.complaint = ""
        self.unit_type = stage.unit_type()
        self.data = TrialData(stage, fault.name)
        # The fault may end it.
        self.coordinator = stage.cluster.status().coordinator

    def run(self) -> Trial:
        stage, fault = self.stage, self.fault
        self.data.write()
        time.sleep(_BEFORE)
        self.zero = time.monotonic()
        try:
            self.action.inject(stage)
        except HadebError as error:
            self.complaint = error.message
        injected = time.monotonic()
        returned = self._wait(injected)
        status, believed, after = self._look(returned)
        ended = time.monotonic() - self.zero
        answers = self._answers(stage.victim.name, after)
        stalls = self._stalls()
        if returned:
            self.data.read()
        problem = self._mend(returned)
        if not problem:
            self.data.read(restored=True)
        zero = self.zero + self.epoch
        record = Record.read(stage.cluster, self.logs, since=zero - _BEFORE, zero=zero)
        evidence = dataclasses.replace(
            record.evidence(fault, stage.scenario, stage.cluster),
            before=stage.victim.name,
            after=after,
            believed=believed,
            returned=returned,
            answers=answers,
            blocked=status.blocked,
            orphans=status.orphans,
            budget=self._budget(),
            unit_type=self.unit_type,
            complaint=self.complaint,
            data=self.data.evidence(self.zero),
            coordinator=self.coordinator,
            ended=ended,
            stalls=stalls,
        )
        trial = self._trial(evidence, record)
        if problem:
            shortfall = f"the cluster did not come back once the fault was over: {problem}"
            trial = dataclasses.replace(trial, shortfalls=(*trial.shortfalls, shortfall))
            raise ClusterLost(with_findings(trial, evidence, record), shortfall)
        return trial

    def _wait(self, injected: float) -> bool:
        """Wait for the expected end; False if it does not come."""
        problem = ""

        def is_over() -> bool:
            nonlocal problem
            problem = ""
            try:
                return self._is_over(injected)
            except HadebError as error:
                # The node we asked may be dying just now: the next one will answer.
                problem = error.message
                return False

        left = self.zero + self.fault.deadline - time.monotonic()
        if wait_until(is_over, timeout=left, pause=_POLL):
            return True
        self.complaint = self.complaint or problem
        return False

    def _is_over(self, injected: float) -> bool:
        answers = [
            answer for answer in to_service(self.stage.watch.answers) if answer.at > self.zero
        ]
        now = time.monotonic()
        if self.fault.expected == "moves":
            return self._moved(answers)
        missed = [answer.asked for answer in unanswered(answers)]
        if not missed:
            good = [answer.asked for answer in answers[-20:] if answer.who]
            return bool(good) and good[-1] > injected and now > injected + self.fault.dwell
        # A client that waits a second for an answer reports a failure that much later.
        last = max(missed)
        good = [answer.asked for answer in answers if answer.who and answer.asked > last]
        return bool(good) and now > max(injected + self.fault.dwell, good[0] + _SETTLED)

    def _moved(self, answers: list[Answer]) -> bool:
        if not any(answer.who and answer.asked > self.zero for answer in answers[-20:]):
            return False
        return self.stage.serving() not in {"", self.stage.victim.name}

    def _look(self, returned: bool) -> tuple[Status, str, str]:
        """Let the cluster settle; its status, where it runs the service, and who answers."""
        cluster = self.stage.cluster
        try:
            cluster.settle(timeout=60 if returned else 10)
        except HadebError as error:
            if returned:
                self.complaint = self.complaint or error.message
        time.sleep(_AFTER)
        try:
            return cluster.status(), self.stage.believed(), self.stage.serving()
        except HadebError as error:
            self.complaint = self.complaint or error.message
            return Status(), "", ""

    def _answers(self, before: str, after: str) -> list[Answer]:
        """The answers around the fault, on its clock."""
        start = self.zero - _BEFORE
        shifted = [
            dataclasses.replace(answer, asked=answer.asked - self.zero, at=answer.at - self.zero)
            for answer in self.stage.watch.answers
            if answer.at >= start
        ]
        return named(shifted, before, after)

    def _stalls(self) -> list[Stall]:
        """When the client itself did not run, on the fault's clock."""
        start = self.zero - _BEFORE
        return [
            Stall(stall.start - self.zero, stall.end - self.zero)
            for stall in self.stage.watch.stalls
            if stall.end >= start
        ]

    def _mend(self, returned: bool) -> str:
        """Restore the cluster; why that failed, or nothing."""
        try:
            self.action.undo(self.stage)
            # A service that did not come back by itself seldom does now, and a new cluster boots
            # quickly.
            self.stage.restore(patience=PATIENCE if returned else _LAST_CHANCE)
        except HadebError as error:
            return error.message
        return ""

    def _budget(self) -> float | None:
        milliseconds = self.stage.scenario.table.max_outage.get(self.fault.name)
        return None if milliseconds is None else milliseconds / 1000

    def _trial(self, evidence: Evidence, record: Record) -> Trial:
        what = self.fault.did.format(node=evidence.before)
        steps = [
            Event(step.at - self.zero, step.node, step.text, "fault") for step in self.stage.steps
        ]
        service = to_service(evidence.answers)
        direct = [answer for answer in evidence.answers if answer.target != SERVICE]
        trial = Trial(
            fault=self.fault.name,
            did=what,
            expected=EXPECTED[self.fault.expected],
            seconds=time.monotonic() - self.zero,
            outage=outage_of(evidence),
            budget=evidence.budget,
            before=evidence.before,
            after=evidence.after,
            turns=tuple(turns(service, apart=TOGETHER)),
            direct=tuple(turns(direct, apart=TOGETHER)),
            refused=len(unanswered(service)),
            events=(Event(0.0, evidence.before, what, "fault"), *steps),
            shortfalls=(*self.stage.shortfalls, *shortfalls(evidence)),
            readings=evidence.data.readings,
            late=max((stall.end - stall.start for stall in evidence.stalls), default=0.0),
        )
        return with_findings(trial, evidence, record)
