# SPDX-License-Identifier: Apache-2.0
"""An agent is blamed for what it did, and for nothing else."""

from __future__ import annotations

import dataclasses

from hadeb.lab.client.answers import SERVICE, Answer
from hadeb.lab.fault.catalogue import chosen
from hadeb.lab.verdict.events import BEGUN, Operation, operations
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.verdict import shortfalls

(STANDBY,) = chosen(("standby",))


def answers(who: str, start: float, end: float, target: str = "") -> list[Answer]:
    """A node that answers ten times a second."""
    count = round((end - start) * 10)
    moments = [start + number / 10 for number in range(count)]
    return [Answer(at, at + 0.01, "", target or who, who, f"I am {who}", None) for at in moments]


EVIDENCE = Evidence(
    fault=STANDBY,
    service="GREETER",
    before="ha1",
    after="ha2",
    believed="ha2",
    returned=True,
    answers=[*answers("ha1", -1, 0.4, SERVICE), *answers("ha2", 1, 3, SERVICE)],
    operations=[],
    blocked=[],
    budget=None,
    copies="one",
)


def shortfall(**changes: object) -> str:
    return " / ".join(shortfalls(dataclasses.replace(EVIDENCE, **changes)))  # type: ignore[arg-type]


def done(action: str, node: str, at: float, result: str = "ok") -> Operation:
    return Operation(at, action, "GREETER", node, result)


def test_answers_after_a_stop_are_reported_before_the_next_node_is_up() -> None:
    late = [*EVIDENCE.answers, *answers("ha1", -1, 0.9)]
    sentence = shortfall(answers=late, operations=[done("stop", "ha1", 0.3)])
    assert "stop reported success on ha1 0.51 s before the last answer" in sentence
    assert "returns before the daemon has ended" in sentence


def test_answers_after_a_new_start_has_begun_do_not_blame_the_stop() -> None:
    late = [*EVIDENCE.answers, *answers("ha1", -1, 0.1), *answers("ha1", 0.6, 0.9)]
    course = [done("stop", "ha1", 0.45), done("start", "ha1", 0.5, BEGUN)]
    assert "stop reported" not in shortfall(answers=late, operations=course)


def test_the_begin_of_an_operation_is_read_from_the_log() -> None:
    line = (
        "1795573541.315479 ha3 pacemaker-controld[49]:  notice: "
        "Requesting local execution of start operation for REDIS on ha3"
    )
    assert operations(line) == [Operation(1795573541.315479, "start", "REDIS", "ha3", BEGUN)]


def test_a_start_that_is_early_is_blamed_by_the_type_of_its_unit() -> None:
    course = [done("start", "ha2", 0.1)]
    early = "start reported success on ha2 0.91 s before the service answered: "
    assert f"{early}the daemon reports readiness before it listens" in shortfall(
        operations=course, unit_type="notify"
    )
    assert f"{early}it returns too early, since a unit of type exec" in shortfall(
        operations=course, unit_type="exec"
    )
    assert f"{early}it returns too early, or the daemon" in shortfall(operations=course)


def test_a_start_while_all_is_brought_back_says_nothing_of_the_fault() -> None:
    course = [done("start", "ha2", 0.95), done("start", "ha2", 9.0)]
    assert shortfall(operations=course) == ""


def test_a_replica_may_say_that_it_is_none_to_ask_and_a_master_may_not() -> None:
    replica = Answer(0.5, 0.51, "", "ha3", None, "slave", None)
    asked = [*EVIDENCE.answers, replica]
    assert shortfall(answers=asked, copies="promotable") == ""
    assert "1 answers are not as expected" in shortfall(answers=asked)
    through = [*EVIDENCE.answers, dataclasses.replace(replica, target=SERVICE)]
    assert "1 answers are not as expected" in shortfall(answers=through, copies="promotable")


def test_two_masters_are_reported_and_two_replicas_that_answer_alike_are_not() -> None:
    second = [*EVIDENCE.answers, *answers("ha3", 1.05, 2.5)]
    assert "ha2 and ha3 answered at the same time" in shortfall(answers=second, copies="promotable")
    assert shortfall(answers=second, copies="clone") == ""
    always = [*EVIDENCE.answers, *answers("ha3", -1.05, 2.5)]
    assert shortfall(answers=always, copies="promotable") == ""


def test_an_action_that_the_cluster_still_waits_for_is_named() -> None:
    silent = answers("ha1", -1, 0.1, SERVICE)
    silent.append(Answer(89.0, 90.0, "", SERVICE, None, "", "no answer in time"))
    course = [
        *(done("monitor", "ha1", 2, BEGUN), done("stop", "ha2", 3, BEGUN), done("stop", "ha2", 4)),
        # That it ended while all was brought back was too late.
        *(done("demote", "ha1", 12, BEGUN), done("demote", "ha1", 132, "Timed out after 2m")),
    ]
    sentence = shortfall(answers=silent, operations=course, returned=False, after="", believed="")
    assert "demote of GREETER on ha1 had begun 78 s earlier and has not ended" in sentence
    assert "stop of" not in sentence
    assert "monitor of" not in sentence
