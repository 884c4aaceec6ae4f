# SPDX-License-Identifier: Apache-2.0
"""One fault on a running cluster: inject it, wait for the service, look, and bring all back."""

from __future__ import annotations

import dataclasses
import time
from contextlib import suppress
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.lab.client.answers import TOGETHER, Answer, to_service, turns, unanswered
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.actions import ACTIONS
from hadeb.lab.fault.catalogue import EXPECTED, Fault
from hadeb.lab.node.node import Node
from hadeb.lab.scenario.scenario import Scenario
from hadeb.lab.scenario.stage import PATIENCE, Stage
from hadeb.lab.verdict.events import Operation, events, operations
from hadeb.lab.verdict.result import Event, Trial
from hadeb.lab.verdict.verdict import Evidence, named, outage_of, shortfalls, spoken

# What is shown of the time before a fault, and watched after its end.
_BEFORE, _AFTER = 1.0, 1.0
_SETTLED = 0.5
_POLL = 0.05
_LAST_CHANCE = 10.0


class Unmended(HadebError):
    """The cluster did not come back after a fault; `trial` is what was found until then."""

    def __init__(self, trial: Trial, why: str) -> None:
        super().__init__(why)
        self.trial = trial


def attempt(cluster: Cluster, scenario: Scenario, fault: Fault, logs: Path) -> Trial | str:
    """Try a fault; the trial, or why it cannot be done to this bundle.

    Raises Unmended where the cluster is of no use any more. Logs of a trial that fell short go
    below the directory `logs`.
    """
    with cluster.watch(scenario.answer) as watch:
        try:
            watch.until(
                lambda answers: sum(bool(one.who) for one in to_service(answers)) > 20,
                timeout=30,
                what="no answer before the fault",
            )
            stage = Stage(cluster, scenario, watch, cluster.any)
            stage.victim = cluster[stage.serving()]
            if obstacle := ACTIONS[fault.name].obstacle(stage):
                return obstacle
            trying = _Attempt(stage, fault, logs)
        except HadebError as error:
            # The other faults can be tried all the same.
            raise Unmended(_untried(fault, error.message), error.message) from error
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
    """The course of one trial. Its clock is monotonic; `epoch` is what to add for the logs'."""

    def __init__(self, stage: Stage, fault: Fault, logs: Path) -> None:
        self.stage, self.fault, self.logs = stage, fault, logs
        self.action = ACTIONS[fault.name]
        self.zero = time.monotonic()
        self.epoch = time.time() - self.zero
        self.complaint = ""
        self.unit_type = stage.unit_type()

    def run(self) -> Trial:
        stage, fault = self.stage, self.fault
        time.sleep(_BEFORE)
        self.zero = time.monotonic()
        try:
            self.action.inject(stage)
        except HadebError as error:
            self.complaint = error.message
        injected = time.monotonic()
        returned = self._wait(injected)
        blocked, believed, after = self._look(returned)
        heard = self._heard(stage.victim.name, after)
        unmended = self._mend(returned)
        journals = self._journals()
        evidence = Evidence(
            fault=fault,
            service=stage.scenario.service,
            before=stage.victim.name,
            after=after,
            believed=believed,
            returned=returned,
            answers=heard,
            operations=self._operations(journals),
            blocked=blocked,
            budget=self._budget(),
            copies=stage.scenario.copies,
            unit_type=self.unit_type,
            complaint=self.complaint,
        )
        trial = self._trial(evidence, journals)
        if unmended:
            said = f"the cluster did not come back once the fault was over: {unmended}"
            raise Unmended(dataclasses.replace(trial, shortfalls=(*trial.shortfalls, said)), said)
        return trial

    def _wait(self, injected: float) -> bool:
        """Wait for the end that is expected; False where it does not come."""
        deadline = self.zero + self.fault.deadline
        while True:
            obscure = ""
            try:
                if self._is_over(injected):
                    return True
            except HadebError as error:
                # Whom we asked may be dying just now, and the next one knows.
                obscure = error.message
            if time.monotonic() > deadline:
                self.complaint = self.complaint or obscure
                return False
            time.sleep(_POLL)

    def _is_over(self, injected: float) -> bool:
        answers = [one for one in to_service(self.stage.watch.answers) if one.at > self.zero]
        now = time.monotonic()
        if self.fault.expected == "moves":
            return self._moved(answers)
        missed = [one.asked for one in unanswered(answers)]
        if not missed:
            good = [one.asked for one in answers[-20:] if one.who]
            return bool(good) and good[-1] > injected and now > injected + self.fault.dwell
        # A client that is asked to wait a second may be late with its bad news.
        good = [one.asked for one in answers if one.who and one.asked > max(missed)]
        return bool(good) and now > max(injected + self.fault.dwell, good[0] + _SETTLED)

    def _moved(self, answers: list[Answer]) -> bool:
        if not any(one.who and one.asked > self.zero for one in answers[-20:]):
            return False
        return self.stage.serving() not in {"", self.stage.victim.name}

    def _look(self, returned: bool) -> tuple[list[str], str, str]:
        """Let the cluster come to rest; what it blocks, where it runs the service, who answers."""
        cluster = self.stage.cluster
        try:
            cluster.settle(timeout=60 if returned else 10)
        except HadebError as error:
            if returned:
                self.complaint = self.complaint or error.message
        time.sleep(_AFTER)
        try:
            return cluster.status().blocked, self.stage.believed(), self.stage.serving()
        except HadebError as error:
            self.complaint = self.complaint or error.message
            return [], "", ""

    def _heard(self, before: str, after: str) -> list[Answer]:
        """The answers around the fault, on its clock."""
        start = self.zero - _BEFORE
        shifted = [
            dataclasses.replace(one, asked=one.asked - self.zero, at=one.at - self.zero)
            for one in self.stage.watch.answers
            if one.at >= start
        ]
        return named(shifted, before, after)

    def _mend(self, returned: bool) -> str:
        """Bring everything back; why that failed, or nothing."""
        try:
            self.action.mend(self.stage)
            # What did not come back by itself seldom does now, and a new cluster is soon there.
            self.stage.restore(patience=PATIENCE if returned else _LAST_CHANCE)
        except HadebError as error:
            return error.message
        return ""

    def _journals(self) -> dict[str, str]:
        since = f"--since=@{self.zero + self.epoch - _BEFORE:.3f}"
        found = {}
        for node in self.stage.cluster.nodes:
            # One that dies while it is read has no say.
            with suppress(HadebError):
                found[node.name] = _journal(node, since)
        return found

    def _operations(self, journals: dict[str, str]) -> list[Operation]:
        zero = self.zero + self.epoch
        return [
            dataclasses.replace(one, at=one.at - zero)
            for journal in journals.values()
            for one in operations(journal)
        ]

    def _budget(self) -> float | None:
        milliseconds = self.stage.scenario.table.max_outage.get(self.fault.name)
        return None if milliseconds is None else milliseconds / 1000

    def _trial(self, evidence: Evidence, journals: dict[str, str]) -> Trial:
        last = max((one.at for one in evidence.answers), default=0.0)
        what = self.fault.did.format(node=evidence.before)
        told = [Event(0.0, evidence.before, what, "fault")]
        logged = events(journals.values(), self.zero + self.epoch)
        told += [event for event in logged if 0 <= event.at <= last]
        found = shortfalls(evidence)
        service = spoken(evidence.answers, service=True)
        return Trial(
            fault=self.fault.name,
            did=what,
            expected=EXPECTED[self.fault.expected],
            seconds=time.monotonic() - self.zero,
            outage=outage_of(evidence),
            budget=evidence.budget,
            before=evidence.before,
            after=evidence.after,
            turns=tuple(turns(service, apart=TOGETHER)),
            direct=tuple(turns(spoken(evidence.answers, service=False), apart=TOGETHER)),
            refused=len(unanswered(service)),
            events=tuple(told),
            shortfalls=found,
            logs=self._keep(journals) if found else (),
        )

    def _keep(self, journals: dict[str, str]) -> tuple[str, ...]:
        self.logs.mkdir(parents=True, exist_ok=True)
        kept = []
        for node, journal in journals.items():
            path = self.logs / f"{self.fault.name}-{node}.log"
            path.write_text(journal, encoding="utf-8", errors="surrogateescape")
            kept.append(f"{self.logs.name}/{path.name}")
        return tuple(kept)


def _journal(node: Node, since: str) -> str:
    return node.journal("--output=short-unix", "--quiet", since)
