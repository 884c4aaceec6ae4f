# SPDX-License-Identifier: Apache-2.0
"""Logs are kept with the report's clock, of every node that can still be read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

from hadeb.errors import HadebError
from hadeb.lab.fault.catalogue import chosen
from hadeb.lab.trial.record import Record, with_findings
from hadeb.lab.verdict.events import BEGUN, Fencing, Operation
from hadeb.lab.verdict.result import Event, Trial

JOURNAL = """\
-- No entries before --
99.500000 ha1 pacemaker-controld[9]:  notice: Requesting local execution of stop operation for \
TICK on ha1
100.250000 ha1 tickd[8]: will not end
101.000000 ha1 pacemaker-execd[7]:  notice: TICK_stop_0[8] error output [ ocf-exit-reason:stuck ]
101.000000 ha1 pacemaker-controld[9]:  notice: Result of stop operation for TICK on ha1: error \
(stuck)
101.200000 ha2 pacemaker-schedulerd[9]:  warning: Cluster node ha1 will be fenced: TICK failed there
102.000000 ha2 pacemaker-controld[9]:  notice: Peer ha1 was terminated (off) by ha2 on behalf of \
pacemaker-controld.9@ha2: OK
"""
SCENARIO = SimpleNamespace(
    service="TICK",
    copies="one",
    table=SimpleNamespace(resource=(SimpleNamespace(name="TICK", agent="ocf:example:tickd"),)),
)


class FakeNode:
    """A node whose journal is read on it, or on its disk while it is off."""

    def __init__(self, name: str, *, is_on: bool = True) -> None:
        self.name, self.is_on = name, is_on
        self.asked: list[str] = []

    def journal(self, *arguments: str) -> str:
        if self.name == "ha3":
            raise HadebError("it died just now")
        self.asked += arguments
        return JOURNAL

    def offline(self, *arguments: str) -> SimpleNamespace:
        self.asked += arguments
        return SimpleNamespace(stdout="100.000000 ha2 tickd[8]: last word\n")


class FakeCluster:
    """Three nodes, of which one is off and one dies."""

    def __init__(self) -> None:
        self.nodes = (FakeNode("ha1"), FakeNode("ha2", is_on=False), FakeNode("ha3"))

    @property
    def any(self) -> FakeNode:
        raise HadebError("no node is on that could run a cluster command")


def record(tmp_path: Path) -> tuple[FakeCluster, Record]:
    cluster = FakeCluster()
    made = Record.read(cluster, tmp_path / "logs", since=99.0, zero=100.0)  # type: ignore[arg-type]
    return cluster, made


def test_each_line_has_its_seconds_from_the_fault(tmp_path: Path) -> None:
    cluster, made = record(tmp_path)
    assert made.write("standby") == (("logs/standby-ha1.log", "logs/standby-ha2.log"), ())
    lines = (tmp_path / "logs/standby-ha1.log").read_text("utf-8").splitlines()
    assert lines[0] == "-- No entries before --"
    assert lines[1].startswith("     -0.500  99.500000 ha1 pacemaker-controld[9]:")
    assert lines[2] == "     +0.250  100.250000 ha1 tickd[8]: will not end"
    # A node without power is read on its disk.
    assert (tmp_path / "logs/standby-ha2.log").read_text("utf-8").endswith("last word\n")
    assert cluster.nodes[1].asked[0] == "journalctl"
    assert all("--since=@99.000" in node.asked for node in cluster.nodes[:2])


def test_the_evidence_has_the_faults_clock(tmp_path: Path) -> None:
    cluster, made = record(tmp_path)
    (fault,) = chosen(("standby",))
    evidence = made.evidence(fault, SCENARIO, cluster)  # type: ignore[arg-type]
    assert list(evidence.operations) == [
        Operation(-0.5, "stop", "TICK", "ha1", BEGUN),
        Operation(1.0, "stop", "TICK", "ha1", "error (stuck)"),
    ]
    assert list(evidence.fencings) == [Fencing(2.0, "ha1", "TICK failed there")]
    assert evidence.agent("TICK") == "ocf:example:tickd"


def test_a_trial_that_fell_short_has_logs_last_words_and_what_to_change(tmp_path: Path) -> None:
    cluster, made = record(tmp_path)
    (fault,) = chosen(("standby",))
    evidence = made.evidence(fault, SCENARIO, cluster)  # type: ignore[arg-type]
    lab = Event(0.0, "ha1", "pcs node standby ha1", "fault")
    short = Trial("standby", "", "", 1.0, events=(lab,), shortfalls=("it fell short",))
    trial = with_findings(short, evidence, made)
    assert [event.text for event in trial.words] == ["tickd: will not end", "stop of TICK: stuck"]
    assert trial.remedies[0].startswith("ocf:example:tickd: stop of what does not run")
    assert trial.logs == ("logs/standby-ha1.log", "logs/standby-ha2.log")
    assert [event.text for event in trial.events] == [
        "pcs node standby ha1",
        "stop of TICK failed: error (stuck)",
        "ha1 is fenced: its power is cut",
    ]


def test_a_monitor_that_was_late_has_its_words_as_well(tmp_path: Path) -> None:
    cluster, made = record(tmp_path)
    (fault,) = chosen(("network-cut",))
    evidence = made.evidence(fault, SCENARIO, cluster)  # type: ignore[arg-type]
    evidence = dataclasses.replace(evidence, operations=(), fencings=())
    late = [Operation(0.3, "monitor", "TICK", "ha1", "ok")]
    short = Trial("started", "", "", 1.0, shortfalls=("the monitor is slow",))
    trial = with_findings(short, evidence, made, late)
    assert [event.text for event in trial.words] == ["tickd: will not end", "stop of TICK: stuck"]
    assert trial.remedies == ()


def test_a_trial_that_passed_writes_nothing(tmp_path: Path) -> None:
    cluster, made = record(tmp_path)
    (fault,) = chosen(("network-cut",))
    evidence = made.evidence(fault, SCENARIO, cluster)  # type: ignore[arg-type]
    trial = with_findings(Trial("network-cut", "", "", 1.0), evidence, made)
    assert (trial.words, trial.remedies, trial.logs) == ((), (), ())
    assert not (tmp_path / "logs").exists()


def test_the_log_of_a_node_that_logged_nothing_says_so(tmp_path: Path) -> None:
    _, made = record(tmp_path)
    silent = dataclasses.replace(made, journals={"ha1": ""})
    assert silent.write("standby") == (("logs/standby-ha1.log",), ())
    text = (tmp_path / "logs/standby-ha1.log").read_text("utf-8")
    assert text == "nothing was logged on this node meanwhile\n"
