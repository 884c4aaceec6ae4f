# SPDX-License-Identifier: Apache-2.0
"""What the nodes of both releases logged becomes the same events.

journals/ holds lines that Debian 12 with Pacemaker 2.1.5 and Debian 13 with Pacemaker 3.0.0 wrote
while daemons were killed, hung and kept from starting, and nodes fenced and cut off.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hadeb.debian.releases import SUITES
from hadeb.lab.verdict.events import (
    REPORTED,
    Count,
    Fencing,
    Operation,
    counts,
    events,
    fencings,
    operations,
)
from hadeb.lab.verdict.result import Event

JOURNALS = Path(__file__).with_name("journals")


@pytest.fixture(params=SUITES)
def journal(request: pytest.FixtureRequest) -> str:
    return (JOURNALS / f"{request.param}.txt").read_text("utf-8")


def reported(journal: str) -> list[str]:
    """The events as NODE: TEXT."""
    return [f"{event.node}: {event.text}" for event in events([journal], 0)]


@pytest.mark.parametrize(
    "text",
    [
        "ha1: TCP-SERVER started",
        "ha1: TCP-SERVER stopped",
        "ha3: sample-tcp-server@TCP-SERVER ended (killed 9/KILL)",
        "ha3: told Pacemaker that TCP-SERVER ended",
        "ha3: systemd's watchdog missed sample-tcp-server@TCP-SERVER",
        "ha3: sample-tcp-server@TCP-SERVER ended (killed 6/ABRT)",
        "ha1: fencing of ha3 failed: Error",
        "ha1: corosync misses a node",
        "ha1: corosync: a node has left",
        "ha1: corosync lost a node",
        "ha1: ha3 is fenced: its power is cut",
        "ha1: corosync ended (killed 9/KILL)",
        "ha2: lost the quorum",
    ],
)
def test_events_are_read_from_the_journals_of_both_releases(journal: str, text: str) -> None:
    assert text in reported(journal)


def test_a_failed_start_is_reported_with_the_agents_reason(journal: str) -> None:
    (line,) = [line for line in reported(journal) if "start of" in line]
    assert re.fullmatch(
        r"ha3: start of TCP-SERVER failed: (error|Error occurred) \(no such luck\)", line
    )


def test_a_monitor_that_times_out_is_reported(journal: str) -> None:
    (line,) = [line for line in reported(journal) if "Timed" in line]
    assert line.lower().startswith("ha1: monitor of tcp-server failed: timed out after 2s")


def test_a_monitor_that_finds_nothing_running_is_reported_but_a_probe_is_not() -> None:
    said = reported((JOURNALS / "bookworm.txt").read_text("utf-8"))
    assert (
        "ha3: monitor of TCP-SERVER failed: not running"
        " (sample-tcp-server@TCP-SERVER.service is failed)"
    ) in said
    assert "probe" not in " ".join(said)


def test_a_failed_probe_is_reported() -> None:
    line = "1.5 ha1 pacemaker-controld[9]:  notice: Result of probe operation for X on ha1: "
    assert reported(f"{line}not installed (no such program)") == [
        "ha1: probe of X failed: not installed (no such program)"
    ]


def test_routine_lines_are_not_reported(journal: str) -> None:
    noise = ("ok", "monitor of VIP", "fail-count", "Members joined", "asyncmon", "primary")
    assert not [line for line in reported(journal) for word in noise if word in line.split()]
    assert not [line for line in reported(journal) if "joined" in line or "fence_lab" in line]


@pytest.mark.parametrize("said", ["promoted", "Promoted"])
def test_a_monitor_of_a_promoted_resource_is_no_failure(said: str) -> None:
    line = "1.5 ha1 pacemaker-controld[9]:  notice: Result of monitor operation for X on ha1: "
    assert reported(line + said) == []


def test_operations_have_their_moment_and_whether_they_succeeded(journal: str) -> None:
    course = operations(journal)
    starts = [
        operation
        for operation in course
        if (operation.action, operation.resource) == ("start", "TCP-SERVER")
    ]
    assert [(operation.node, operation.succeeded) for operation in starts] == [
        ("ha1", True),
        ("ha3", False),
    ]
    assert all(1795570000 < operation.at < 1795580000 for operation in course)
    assert {operation.succeeded for operation in course if operation.action == "stop"} == {True}


def test_a_fenced_node_is_read_once_and_a_fencing_that_failed_is_none(journal: str) -> None:
    (fencing,) = fencings([journal, journal.replace(" ha1 ", " ha2 ")])
    assert (fencing.node, fencing.why) == ("ha3", "")


@pytest.mark.parametrize("node", ["Cluster node ha2", "Node ha2"])
def test_a_fencing_has_the_schedulers_reason(node: str) -> None:
    log = (
        f"5.0 ha1 pacemaker-schedulerd[9]:  warning: {node} will be fenced: TICK failed there\n"
        "5.5 ha1 pacemaker-controld[9]:  notice: Peer ha2 was terminated (off) by ha1 on behalf of"
        " pacemaker-controld.9@ha1: OK\n"
    )
    assert fencings([log]) == (Fencing(5.5, "ha2", "TICK failed there"),)


def test_fail_counts_are_read_where_they_are_counted(journal: str) -> None:
    logged = counts(journal)
    assert ("TCP-SERVER", "monitor", "ha1", 2) in {
        (count.resource, count.action, count.node, count.count) for count in logged
    }
    # Only the node's own log counts, and an infinite count is one failed start.
    assert {count.node for count in logged} == {"ha1", "ha3"}
    assert {count.count for count in logged if count.action == "start"} == {1}
    unset = "9.5 ha3 pacemaker-attrd[4]:  notice: Setting fail-count-A#stop_0[ha3]: 1 -> (unset)"
    assert counts(unset) == (Count(9.5, "A", "stop", "ha3", 0),)


def test_what_the_crash_hook_reported_is_an_operation_that_failed(journal: str) -> None:
    reported = [operation for operation in operations(journal) if operation.action == REPORTED]
    assert {(operation.resource, operation.node) for operation in reported} == {
        ("TCP-SERVER", "ha3")
    }
    assert not any(operation.succeeded for operation in reported)


def test_an_operation_is_read_whole() -> None:
    line = "7.25 ha2 pacemaker-controld[9]:  error: Result of stop operation for A on ha2: error"
    assert operations(line) == [Operation(7.25, "stop", "A", "ha2", "error")]


def test_events_of_several_nodes_are_in_one_order_on_the_faults_clock() -> None:
    nodes = [
        "100.5 ha1 systemd[1]: b.service: Main process exited, code=exited, status=1/FAILURE",
        "100.25 ha2 systemd[1]: a.service: Watchdog timeout (limit 10s)!",
    ]
    assert events(nodes, 100.0) == (
        Event(0.25, "ha2", "systemd's watchdog missed a"),
        Event(0.5, "ha1", "b ended (exited 1/FAILURE)"),
    )


def test_a_line_in_two_journals_is_reported_once() -> None:
    line = "100.5 ha1 systemd[1]: b.service: Watchdog timeout (limit 10s)!"
    assert len(events([line, line], 100.0)) == 1


@pytest.mark.parametrize("line", ["", "-- Boot 7a --", "no number", "1.5 ha1", "\udcff 1.5 x y: z"])
def test_lines_of_another_form_are_passed_over(line: str) -> None:
    assert reported(line) == []
