# SPDX-License-Identifier: Apache-2.0
"""Each shortfall is reported in its own sentence, and nothing else is reported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hadeb.lab.client.answers import UNNAMED, Answer, to_service
from hadeb.lab.fault.catalogue import FAULTS, Expected, Fault
from hadeb.lab.verdict.events import Operation
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.verdict import named, outage_of, shortfalls


def fault(expected: Expected) -> Fault:
    return replace(FAULTS[0], expected=expected, deadline=60)


def heard(at: float, who: str, target: str = "service") -> Answer:
    return Answer(at - 0.001, at, "", target, who, f"This is {who}!\n", None)


def lost(at: float, target: str = "service") -> Answer:
    return Answer(at - 0.001, at, "", target, None, "", "Connection refused")


def steady(who: str, start: float, end: float, target: str = "service") -> list[Answer]:
    """An answer each tenth of a second."""
    count = round((end - start) * 10)
    return [heard(start + number / 10, who, target) for number in range(count + 1)]


def done(at: float, action: str, node: str, result: str = "ok", name: str = "TCP") -> Operation:
    return Operation(at, action, name, node, result)


MOVE = [*steady("ha1", -1, 0), lost(0.1), lost(0.3), *steady("ha2", 0.6, 3)]
STAY = steady("ha1", -1, 3)


def evidence(
    expected: Expected = "moves",
    answers: Sequence[Answer] = MOVE,
    *,
    after: str = "ha2",
    operations: Sequence[Operation] = (),
) -> Evidence:
    """A service that moved from ha1 to ha2, or what else is given."""
    return Evidence(
        fault=fault(expected),
        service="TCP",
        before="ha1",
        after=after,
        believed=after,
        returned=True,
        answers=answers,
        operations=operations,
        blocked=(),
        budget=None,
        copies="one",
    )


UNFELT = evidence("unfelt", STAY, after="ha1")


def shortfall(evidence: Evidence) -> str:
    """The one sentence."""
    (sentence,) = shortfalls(evidence)
    return sentence


@pytest.mark.parametrize(
    "good",
    [
        evidence(),
        evidence("returns"),
        evidence("returns", STAY, after="ha1"),
        UNFELT,
        evidence(operations=[done(0.05, "stop", "ha1"), done(0.5, "start", "ha2")]),
    ],
)
def test_a_trial_as_expected_has_no_shortfall(good: Evidence) -> None:
    assert shortfalls(good) == ()


def test_a_service_that_does_not_return_is_reported_with_the_time_it_had() -> None:
    gone = replace(evidence("returns", STAY, after=""), returned=False, believed="")
    assert shortfall(gone) == "no answer as expected within 60 s"
    assert outage_of(gone) is None


def test_a_monitor_that_sees_a_dead_service_as_running_is_found_out() -> None:
    blind = replace(evidence("returns", STAY, after=""), returned=False, believed="ha1")
    first, second = shortfalls(blind)
    assert "within 60 s" in first
    assert "believes that TCP runs on ha1" in second
    assert "monitor does not check" in second


def test_a_monitor_is_not_blamed_where_somebody_answers_after_all() -> None:
    late = replace(evidence(after="ha1"), returned=False, believed="ha1")
    assert shortfall(late) == "no answer as expected within 60 s"


def test_a_service_that_does_not_move_is_reported() -> None:
    stayed = evidence("moves", STAY, after="ha1")
    assert shortfall(stayed) == "ha1 still serves, where another node should have taken over"


def test_lost_connections_fall_short_only_where_none_was_to_be_lost() -> None:
    felt = [*STAY, lost(3.1), lost(3.2), heard(3.3, "ha1")]
    assert shortfall(replace(UNFELT, answers=felt)) == (
        "2 connections got no answer (Connection refused); none should be lost"
    )
    assert shortfalls(evidence("returns", felt, after="ha1")) == ()


def test_a_nodes_own_address_may_refuse_since_clients_do_not_ask_there() -> None:
    assert shortfalls(replace(UNFELT, answers=[*STAY, lost(1.0, "ha2")])) == ()


def test_a_move_falls_short_only_where_nothing_was_to_be_felt() -> None:
    moved = replace(UNFELT, answers=[*steady("ha1", -1, 0), *steady("ha2", 0.1, 3)], after="ha2")
    assert shortfall(moved) == "the service moved from ha1 to ha2"


def test_two_that_both_answer_are_named_with_how_long() -> None:
    both = [*MOVE, *steady("ha1", 0.7, 1.2, "ha1")]
    assert shortfall(evidence(answers=both)) == "ha1 and ha2 answered at the same time, for 0.50 s"


def test_the_copies_of_a_clone_may_all_answer() -> None:
    both = [*STAY, *steady("ha2", -1, 3, "ha2")]
    cloned = replace(evidence("returns", both, after="ha1"), copies="clone")
    assert shortfalls(cloned) == ()
    assert len(shortfalls(replace(cloned, copies="one"))) == 1


BOTH = [*MOVE, *steady("ha1", 0.7, 1.2, "ha1")]


def test_a_stop_that_returned_before_the_daemon_ended_is_reported() -> None:
    sentences = shortfalls(evidence(answers=BOTH, operations=[done(0.2, "stop", "ha1")]))
    assert len(sentences) == 2
    assert "stop reported success on ha1 1.00 s before the last answer from there" in sentences[1]


@pytest.mark.parametrize(
    "stop",
    [
        done(1.3, "stop", "ha1"),
        done(0.2, "stop", "ha1", "error (no such luck)"),
        done(0.2, "stop", "ha1", name="VIP"),
        done(0.2, "stop", "ha3"),
        done(0.2, "monitor", "ha1"),
    ],
)
def test_no_other_operation_is_taken_for_a_stop_that_returned_early(stop: Operation) -> None:
    first, *others = shortfalls(evidence(answers=BOTH, operations=[stop]))
    assert first.startswith("ha1 and ha2 answered at the same")
    assert not [sentence for sentence in others if "stop reported success" in sentence]


def test_a_stop_is_not_blamed_where_only_one_answers() -> None:
    # The connection was made before the stop, and its answer read after it.
    slow = [
        replace(answer, asked=min(answer.asked, -0.06)) if answer.who == "ha1" else answer
        for answer in MOVE
    ]
    assert shortfalls(evidence(answers=slow, operations=[done(-0.05, "stop", "ha1")])) == ()


def test_wrong_answers_are_counted_and_the_first_is_quoted_in_short() -> None:
    wrong = [Answer(1.0, at, "", "service", None, "x" * 200, None) for at in (1.01, 1.02)]
    sentence = shortfall(evidence(answers=[*MOVE, *wrong]))
    assert sentence.startswith("2 answers are not as expected, the first of them: 'xxx")
    assert len(sentence) < 130


def test_an_answer_that_never_came_is_not_a_wrong_one() -> None:
    assert not any("expected" in sentence for sentence in shortfalls(replace(UNFELT, answers=MOVE)))


def test_a_start_that_returned_before_the_service_answered_is_reported() -> None:
    late = [*steady("ha1", -1, 0), *steady("ha2", 2.0, 3)]
    sentence = shortfall(evidence(answers=late, operations=[done(0.4, "start", "ha2")]))
    assert re.search(r"start reported success on ha2 1\.60 s before", sentence)


@pytest.mark.parametrize(
    "operations",
    [
        # The address came last: until then nobody could reach the service.
        [done(0.4, "start", "ha2"), done(1.9, "start", "ha2", name="VIP")],
        [done(0.4, "start", "ha2"), done(1.9, "promote", "ha2")],
        [done(0.4, "start", "ha2", "error")],
        [done(0.4, "start", "ha3")],
        [done(0.4, "start", "ha2", name="VIP")],
        [done(1.6, "start", "ha2")],
        [],
    ],
)
def test_a_start_that_is_not_to_blame_is_not_blamed(operations: Sequence[Operation]) -> None:
    late = [*steady("ha1", -1, 0), *steady("ha2", 2.0, 3)]
    told = shortfalls(evidence(answers=late, operations=operations))
    assert not [sentence for sentence in told if "start reported success" in sentence]


def test_each_blocked_resource_is_named() -> None:
    blocked = replace(evidence(), blocked=("TCP", "VIP"))
    first, second = shortfalls(blocked)
    assert "given up on TCP" in first
    assert "given up on VIP" in second


def test_only_an_outage_over_the_budget_is_reported() -> None:
    assert shortfall(replace(evidence(), budget=0.5)) == (
        "no answer for 0.600 s, where max-outage allows 0.500 s"
    )
    assert shortfalls(replace(evidence(), budget=0.7)) == ()


def test_a_service_that_never_returned_is_not_also_over_budget() -> None:
    gone = replace(evidence(after="", answers=STAY), returned=False, believed="", budget=0.01)
    assert shortfall(gone) == "no answer as expected within 60 s"


def test_what_went_wrong_with_the_fault_itself_comes_first() -> None:
    failed = replace(evidence("moves", STAY, after="ha1"), complaint="the fault failed")
    first, second = shortfalls(failed)
    assert first == "the fault failed"
    assert "still serves" in second


def test_unnamed_answers_belong_to_the_node_that_served_on_each_side_of_the_gap() -> None:
    nameless = [replace(answer, who=UNNAMED) if answer.who else answer for answer in MOVE]
    assert [answer.who for answer in named(nameless, "ha1", "ha2")] == [
        answer.who for answer in MOVE
    ]
    assert {answer.who for answer in named(nameless, "ha1", "ha1") if answer.error is None} == {
        "ha1"
    }


def test_answers_with_a_name_keep_it() -> None:
    assert named(MOVE, "ha3", "ha3") == MOVE


def test_an_answer_at_a_nodes_own_address_is_not_the_services() -> None:
    direct = heard(1.0, "ha2", "ha2")
    assert to_service([*MOVE, direct]) == MOVE
