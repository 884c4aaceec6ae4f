# SPDX-License-Identifier: Apache-2.0
"""What fails or is fenced is a shortfall, unless the fault itself brings it about."""

from __future__ import annotations

import dataclasses

import pytest

from hadeb.lab.fault.catalogue import FAULTS, chosen
from hadeb.lab.verdict.advice import remedies
from hadeb.lab.verdict.events import BEGUN, REPORTED, Count, Fencing, Operation
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import cluster_shortfalls, may_be_fenced
from hadeb.pacemaker.operations import Schedule

NODES = ("ha1", "ha2", "ha3")
# The results of both releases of Pacemaker.
TIMED_OUT = (
    "Timed Out after 20s (Resource agent did not complete within 20s)",
    "Timed out after 20s (Resource agent did not complete within 20s)",
)


def evidence(fault: str, *operations: Operation, **changes: object) -> Evidence:
    (tried,) = chosen((fault,), two_versions=True)
    made = Evidence(
        fault=tried,
        service="TICK",
        before="ha3",
        after="ha1",
        believed="ha1",
        returned=True,
        answers=(),
        operations=operations,
        blocked=(),
        budget=None,
        copies="one",
        nodes=NODES,
        coordinator="ha2",
        agents={"TICK": "ocf:example:tickd"},
        schedules=(Schedule("TICK", "stop", 0.0, 20.0), Schedule("TICK", "monitor", 5.0, 20.0)),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def sentences(fault: str, *operations: Operation, **changes: object) -> list[str]:
    return list(cluster_shortfalls(evidence(fault, *operations, **changes)))


def failed(action: str, result: str = "error", **place: str) -> Operation:
    """An action of TICK that failed on ha3."""
    return Operation(2.0, action, place.get("resource", "TICK"), place.get("node", "ha3"), result)


@pytest.mark.parametrize("result", TIMED_OUT)
def test_a_stop_that_times_out_is_named_with_the_fencing_for_it(result: str) -> None:
    fenced = (Fencing(2.5, "ha3", "TICK failed there"),)
    (sentence,) = sentences("standby", failed("stop", result), fencings=fenced)
    assert sentence == (
        f"stop of TICK failed on ha3 ({result.partition(' (')[0]}), and the node was fenced"
    )
    (remedy,) = remedies(evidence("standby", failed("stop", result)))
    assert remedy.startswith("ocf:example:tickd: stop has to end what it stops before its timeout")
    assert remedy.endswith("(it is 20 s)")
    *_, silent = remedies(evidence("standby", failed("stop", result)), silent=True)
    assert "call ocf_exit_reason" in silent


@pytest.mark.parametrize(
    ("action", "result", "says"),
    [
        ("stop", "error (nothing to stop)", "stop of TICK failed on ha3 (error: nothing to stop)"),
        ("start", "Error occurred", "start of TICK failed on ha3 (Error occurred)"),
        ("probe", "error (no license)", "probe of TICK failed on ha3 (error: no license)"),
        ("monitor", "not running", "monitor of TICK failed on ha3 (not running)"),
        ("promote", "error", "promote of TICK failed on ha3 (error)"),
        ("demote", "error", "demote of TICK failed on ha3 (error)"),
        (
            REPORTED,
            "error (Simulated failure)",
            "the daemon of TICK ended by itself on ha3, as its crash hook reported",
        ),
    ],
)
def test_each_failed_action_is_named_and_has_a_remedy(action: str, result: str, says: str) -> None:
    assert sentences("standby", failed(action, result)) == [says]
    assert len(remedies(evidence("standby", failed(action, result)))) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        failed("monitor", "ok"),
        failed("monitor", "Promoted"),
        failed("probe", "not running"),
        failed("probe", "Not running (nothing there)"),
        failed("stop", "not running"),
        failed("demote", "not running"),
        failed("monitor", "Cancelled"),
        failed("monitor", "No executor connection"),
        failed("start", BEGUN),
    ],
)
def test_what_is_no_failure_of_an_agent_is_not_named(harmless: Operation) -> None:
    assert sentences("standby", harmless) == []


def test_the_same_failure_is_told_once_with_its_number() -> None:
    again = [failed("monitor", "not running") for _ in range(3)]
    assert sentences("maintenance", *again) == [
        "monitor of TICK failed 3 times on ha3 (not running)"
    ]


def test_a_failure_while_the_lab_restores_says_so() -> None:
    (sentence,) = sentences("standby", failed("stop"), ended=1.0)
    assert "while the lab restored the cluster" in sentence


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        ("daemon-killed", "monitor"),
        ("daemon-killed", REPORTED),
        ("daemon-hung", "monitor"),
        ("daemon-crash-loop", "start"),
        ("unit-stopped", "monitor"),
        ("start-fails", "start"),
        ("run-full", "start"),
        ("address-removed", "monitor"),
        ("network-cut", "stop"),
        ("node-frozen", "monitor"),
    ],
)
def test_what_the_fault_brings_about_on_its_node_is_no_shortfall(fault: str, action: str) -> None:
    assert sentences(fault, failed(action)) == []
    assert len(sentences(fault, failed(action, node="ha1"))) == 1


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        ("daemon-killed", "stop"),
        ("daemon-killed", "start"),
        ("daemon-hung", "stop"),
        ("daemon-crash-loop", "stop"),
        ("disk-full", "stop"),
        ("standby", "monitor"),
        ("package-upgraded", "monitor"),
        ("node-rebooted", "stop"),
    ],
)
def test_what_the_fault_does_not_bring_about_is_one(fault: str, action: str) -> None:
    assert len(sentences(fault, failed(action))) == 1


def test_a_fault_of_the_daemon_explains_no_failure_of_another_resource() -> None:
    (sentence,) = sentences("daemon-killed", failed("monitor", resource="TICK-IP"))
    assert sentence.startswith("monitor of TICK-IP failed")
    assert sentences("address-removed", failed("monitor", resource="TICK-IP")) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fencing_is_a_shortfall_unless_the_fault_brings_it(fault: object) -> None:
    name = getattr(fault, "name", "")
    of_the_node = {
        *("network-cut", "network-split", "network-slow", "network-lossy", "node-power-cut"),
        *("node-frozen", "corosync-killed", "pacemaker-killed"),
    }
    expected = {"controller-killed": {"ha2"}, "cluster-restarted": set(NODES)}.get(name, set())
    expected |= {"ha3"} if name in of_the_node else set()
    assert may_be_fenced(evidence(name)) == expected
    for node in NODES:
        told = sentences(name, fencings=(Fencing(3.0, node, "for a reason"),))
        says = f"{node} was fenced, which the fault does not explain: for a reason"
        assert told == ([] if node in expected else [says])


def test_each_half_of_two_nodes_may_fence_the_other() -> None:
    assert may_be_fenced(evidence("network-cut", nodes=("ha1", "ha3"))) == {"ha1", "ha3"}
    assert may_be_fenced(evidence("daemon-killed", nodes=("ha1", "ha3"))) == set()


def test_a_monitor_whose_on_fail_is_fence_may_fence() -> None:
    fence = (Schedule("TICK", "monitor", 5.0, 20.0, "fence"),)
    fenced = (Fencing(3.0, "ha3", "TICK failed there"),)
    died = failed("monitor", "not running")
    told = {"fencings": fenced, "schedules": fence}
    assert sentences("daemon-killed", died, **told) == []
    assert len(sentences("standby", died, **told)) == 1
    assert len(sentences("daemon-killed", died, fencings=fenced)) == 1


def count(number: int, action: str = "monitor", **place: str) -> Count:
    return Count(1.0, place.get("resource", "TICK"), action, place.get("node", "ha3"), number)


def test_one_kill_may_be_counted_once_by_each_monitor() -> None:
    assert sentences("daemon-killed", counts=(count(1), count(1, REPORTED))) == []
    # The hook takes back what Pacemaker counted twice.
    twice = (count(2, REPORTED), dataclasses.replace(count(1, REPORTED), at=1.2))
    assert sentences("daemon-killed", counts=twice) == []
    (sentence,) = sentences("daemon-killed", counts=(count(4),))
    assert "counted 4 failures of TICK on ha3, where the fault brings 1" in sentence
    assert sentences("daemon-crash-loop", counts=(count(4),)) == []


def test_a_fail_count_that_the_fault_does_not_explain_is_named() -> None:
    (sentence,) = sentences("daemon-killed", counts=(count(2, resource="TICK-IP", node="ha1"),))
    assert sentence == "the fail count of TICK-IP on ha1 is 2, for its monitor"
    # The failure itself has been named, and a count that was taken back is none.
    assert len(sentences("standby", failed("monitor"), counts=(count(1),))) == 1
    assert sentences("standby", counts=(count(1), dataclasses.replace(count(0), at=1.5))) == []
