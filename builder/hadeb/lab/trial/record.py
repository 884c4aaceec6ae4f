# SPDX-License-Identifier: Apache-2.0
"""What the nodes of a cluster logged, kept as files, and read as evidence."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hadeb.errors import HadebError, of_system
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.catalogue import Fault
from hadeb.lab.node.node import Node
from hadeb.lab.scenario.scenario import Scenario
from hadeb.lab.verdict.advice import remedies
from hadeb.lab.verdict.cause import cause
from hadeb.lab.verdict.events import Operation, counts, events, fencings, operations
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import unexplained
from hadeb.lab.verdict.result import Trial
from hadeb.lab.verdict.words import last_words
from hadeb.pacemaker.operations import Schedule, schedules

_TIME = re.compile(r"(\d+\.\d+) ")


@dataclass(frozen=True, slots=True)
class Record:
    """The nodes' journals of one trial, by name, and its zero in seconds since 1970."""

    journals: Mapping[str, str]
    zero: float
    logs: Path

    @classmethod
    def read(cls, cluster: Cluster, logs: Path, *, since: float, zero: float) -> Self:
        """Read each node's journal from a time on, even that of a node without power."""
        journals = {}
        for node in cluster.nodes:
            # A node may die while its journal is read.
            with suppress(HadebError):
                journals[node.name] = _journal(node, f"--since=@{since:.3f}")
        return cls(journals, zero, logs)

    def evidence(self, fault: Fault, scenario: Scenario, cluster: Cluster) -> Evidence:
        """What the journals show, on the trial's clock; nothing yet of the clients."""
        texts = self.journals.values()
        return Evidence(
            fault=fault,
            service=scenario.service,
            before="",
            after="",
            believed="",
            returned=False,
            answers=(),
            operations=[
                dataclasses.replace(operation, at=operation.at - self.zero)
                for journal in texts
                for operation in operations(journal)
            ],
            blocked=(),
            budget=None,
            copies=scenario.copies,
            nodes=[node.name for node in cluster.nodes],
            fencings=[
                dataclasses.replace(fencing, at=fencing.at - self.zero)
                for fencing in fencings(texts)
            ],
            counts=[
                dataclasses.replace(count, at=count.at - self.zero)
                for journal in texts
                for count in counts(journal)
            ],
            agents={table.name: table.agent for table in scenario.table.resource},
            schedules=_schedules(cluster),
        )

    def write(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Keep the journals as files, with the trial's clock before each line.

        Returns the names of the files, and sentences for those that could not be written: a full
        disk does not end a run, whose results are worth more.
        """
        written, lost = [], []
        for node, journal in self.journals.items():
            path = self.logs / f"{name}-{node}.log"
            lines = (_timed(line, self.zero) for line in journal.splitlines(keepends=True))
            try:
                self.logs.mkdir(parents=True, exist_ok=True)
                text = "".join(lines) or "nothing was logged on this node meanwhile\n"
                path.write_text(text, encoding="utf-8", errors="surrogateescape")
            except OSError as error:
                lost.append(f"this log is not kept: {of_system(error, path).message}")
                with suppress(OSError):
                    path.unlink()
            else:
                written.append(f"{self.logs.name}/{path.name}")
        return tuple(written), tuple(lost)


def with_findings(
    trial: Trial, evidence: Evidence, record: Record, slow: Sequence[Operation] = ()
) -> Trial:
    """The trial with its events; if it fell short, with logs, last words and what to change.

    `slow` are operations that succeeded too late: the words in between are worth reading as well.
    """
    logged = events(record.journals.values(), record.zero)
    failures = unexplained(evidence)
    # What happens while the cluster is restored is not the fault's, unless it went wrong there.
    until = max([evidence.ended, *(failure.at + 1 for failure in failures)])
    own = [event for event in trial.events if event.kind == "fault"]
    first = 0.0 if own else float("-inf")
    shown = [event for event in logged if first <= event.at <= until]
    complete = dataclasses.replace(trial, events=(*own, *shown), cause=cause(evidence))
    if trial.passed:
        return complete
    operations_to_explain = [*failures, *slow]
    words = last_words(
        operations_to_explain, evidence.operations, record.journals.values(), record.zero
    )
    logs, lost = record.write(trial.fault)
    advice = (*trial.remedies, *remedies(evidence, silent=not words), *lost)
    return dataclasses.replace(
        complete,
        words=words,
        remedies=tuple(dict.fromkeys(advice)),
        logs=logs,
    )


def _schedules(cluster: Cluster) -> tuple[Schedule, ...]:
    # A cluster that has lost its quorum, or its nodes, tells nothing.
    with suppress(HadebError):
        return schedules(cluster.any.exec("cibadmin", "--query").stdout)
    return ()


def _journal(node: Node, since: str) -> str:
    arguments = ("--output=short-unix", "--quiet", since)
    if node.is_on:
        return node.journal(*arguments)
    return node.offline("journalctl", "--no-pager", *arguments).stdout


def _timed(line: str, zero: float) -> str:
    match = _TIME.match(line)
    return f"{float(match[1]) - zero:+11.3f}  {line}" if match else line
