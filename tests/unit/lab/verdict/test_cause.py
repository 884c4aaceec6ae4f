# SPDX-License-Identifier: Apache-2.0
"""An outage is explained by its longest wait, with the interval or timeout that sets it."""

from __future__ import annotations

import dataclasses

import pytest

from hadeb.lab.client.answers import SERVICE, Answer
from hadeb.lab.client.outage import Stall
from hadeb.lab.fault.catalogue import chosen
from hadeb.lab.verdict.cause import cause
from hadeb.lab.verdict.events import BEGUN, REPORTED, Fencing, Operation
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.verdict import outage_of
from hadeb.pacemaker.operations import Schedule


def answer(at: float, who: str) -> Answer:
    return Answer(at - 0.01, at, "", SERVICE, who, who, None)


def course(*ended: tuple[float, float, str, str, str]) -> list[Operation]:
    """Operations that began, ended, on a node, with a result."""
    return [
        operation
        for begun, end, action, node, result in ended
        for operation in (
            Operation(begun, action, "TICK", node, BEGUN),
            Operation(end, action, "TICK", node, result),
        )
    ]


def told(until: float, operations: list[Operation], **changes: object) -> str:
    (fault,) = chosen(("daemon-killed",))
    evidence = Evidence(
        fault=fault,
        service="TICK",
        before="ha3",
        after="ha1",
        believed="ha1",
        returned=True,
        answers=[answer(-0.1, "ha3"), answer(0.0, "ha3"), answer(until, "ha1")],
        operations=operations,
        blocked=(),
        budget=None,
        copies="one",
        agents={"TICK": "ocf:example:tickd"},
        schedules=(Schedule("TICK", "stop", 0.0, 20.0), Schedule("TICK", "monitor", 10.0, 15.0)),
    )
    return cause(dataclasses.replace(evidence, **changes))  # type: ignore[arg-type]


def test_a_short_outage_needs_no_explanation() -> None:
    assert told(0.9, course((0.1, 0.8, "stop", "ha3", "ok"))) == ""


def test_a_long_stop_is_named_with_its_timeout() -> None:
    waits = course(
        (0.2, 20.2, "stop", "ha3", "Timed Out after 20s"), (24, 25, "start", "ha1", "ok")
    )
    assert told(25.1, waits) == (
        "20.0 s of the 25.1 s without an answer: the stop of TICK on ha3, whose timeout is 20 s, "
        "took so long. The stop of ocf:example:tickd sets it"
    )


@pytest.mark.parametrize(
    ("action", "result", "says"),
    [
        ("monitor", "not running", "which runs every 10 s, failed. Its interval sets it"),
        ("monitor", "Timed out after 15s", "every 10 s, ran into its timeout of 15 s. Both set it"),
        (REPORTED, "error", "until the crash hook reported that the daemon of TICK had ended"),
    ],
)
def test_a_late_notice_is_named_with_the_monitors_interval(
    action: str, result: str, says: str
) -> None:
    noticed = Operation(8.0, action, "TICK", "ha3", result)
    assert says in told(9.0, [noticed, *course((8.1, 8.9, "start", "ha3", "ok"))])


def test_a_fenced_node_is_named_with_corosyncs_token() -> None:
    fenced = (Fencing(7.0, "ha3"),)
    sentence = told(8.0, course((7.2, 7.9, "start", "ha1", "ok")), fencings=fenced)
    assert sentence.startswith("7.0 s of the 8.0 s without an answer: until the cluster missed ha3")
    assert "token" in sentence


def test_the_recovery_after_a_failed_stop_is_named() -> None:
    waits = course((0.2, 0.3, "stop", "ha3", "error"), (6.5, 6.9, "start", "ha1", "ok"))
    sentence = told(7.0, waits, fencings=(Fencing(1.0, "ha3"),))
    assert sentence.startswith("6.2 s of the 7.0 s without an answer: until the cluster had fenced")


def test_the_labs_own_fence_device_explains_nothing() -> None:
    power = Operation(0.2, "start", "POWER", "ha1", BEGUN)
    assert told(3.0, [power]) == ""


def test_a_service_that_answers_long_after_its_start_is_named() -> None:
    sentence = told(9.0, course((0.5, 1.0, "start", "ha1", "ok")))
    assert sentence.startswith("8.0 s of the 9.0 s without an answer: from the last start until")


def test_an_action_that_never_ended_is_named_where_the_service_stayed_away() -> None:
    begun = [Operation(1.0, "start", "TICK", "ha1", BEGUN)]
    silent = Answer(59.0, 60.0, "", SERVICE, None, "", "no answer in time")
    sentence = told(60.0, begun, returned=False, after="", answers=[answer(0.0, "ha3"), silent])
    assert "59.0 s of the 60.0 s" in sentence
    assert "the start of TICK on ha1, had not ended" in sentence


def test_the_clients_own_lateness_is_no_outage() -> None:
    (fault,) = chosen(("daemon-killed",))
    evidence = Evidence(
        fault=fault,
        service="TICK",
        before="ha3",
        after="ha3",
        believed="ha3",
        returned=True,
        answers=[answer(0.0, "ha3"), answer(3.0, "ha3")],
        operations=(),
        blocked=(),
        budget=1.0,
        copies="one",
        stalls=(Stall(0.2, 2.9), Stall(-5.0, -4.0), Stall(2.95, 7.0)),
    )
    assert outage_of(evidence) == pytest.approx(0.25)
    assert cause(evidence) == ""
