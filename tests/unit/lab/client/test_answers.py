# SPDX-License-Identifier: Apache-2.0
"""What is read from the answers: gaps, turns, and who answered at once."""

from __future__ import annotations

from hadeb.lab.client.answers import (
    TOGETHER,
    Answer,
    Overlap,
    Turn,
    between,
    overlaps,
    responder,
    to_service,
    turns,
    turns_of,
    unanswered,
)
from hadeb.lab.client.outage import gaps, outage

EXPECT = r"This is (?P<node>\S+)!"


def heard(at: float, who: str, target: str = "service") -> Answer:
    return Answer(at - 0.001, at, "", target, who, f"Hi! This is {who}!\n", None)


def failed(at: float) -> Answer:
    return Answer(at - 0.001, at, "", "service", None, "", "Connection refused")


MOVE = [heard(1.0, "ha1"), heard(1.1, "ha1"), failed(1.2), failed(1.3), heard(1.6, "ha2")]


def test_a_gap_lasts_from_the_last_answer_to_the_next() -> None:
    (gap,) = gaps(MOVE, over=0.2)
    assert (gap.start, gap.end, gap.before, gap.after) == (1.1, 1.6, "ha1", "ha2")
    assert outage(MOVE) == gap


def test_answers_out_of_order_make_no_gap() -> None:
    assert outage(list(reversed(MOVE))) == outage(MOVE)


def test_one_answer_alone_has_no_outage() -> None:
    assert outage([heard(1.0, "ha1"), failed(2.0)]) is None


def test_two_nodes_that_answer_at_once_take_turns() -> None:
    both = [*MOVE, heard(1.7, "ha1", target="ha1")]
    assert [turn.who for turn in turns(MOVE)] == ["ha1", "ha2"]
    assert [turn.who for turn in turns(both)] == ["ha1", "ha2", "ha1"]


def test_a_silence_ends_a_turn_even_if_no_other_node_answers() -> None:
    back = [heard(1.0, "ha1"), heard(1.1, "ha1"), heard(9.0, "ha1")]
    assert [(turn.start, turn.count) for turn in turns(back, apart=TOGETHER)] == [
        (1.0, 2),
        (9.0, 1),
    ]
    assert [turn.count for turn in turns(back)] == [3]


def test_what_lies_between_a_nodes_answers_does_not_break_its_spell() -> None:
    heard_of = [heard(1.0, "ha1"), heard(1.1, "ha2"), heard(1.15, "ha1"), heard(3.0, "ha1")]
    taken = turns(heard_of, apart=TOGETHER)
    assert turns_of("ha1", taken) == [Turn("ha1", 1.0, 1.15, 2), Turn("ha1", 3.0, 3.0, 1)]


def test_two_overlap_only_while_both_answer() -> None:
    first, second = Turn("ha1", 0.0, 5.0, 9), Turn("ha2", 4.0, 8.0, 9)
    assert overlaps([second, first]) == [Overlap(("ha1", "ha2"), 4.0, 5.0)]
    assert overlaps([first, Turn("ha2", 5.1, 8.0, 9)]) == []
    # One answer has no length, but is still one too many.
    assert overlaps([first, Turn("ha2", 2.0, 2.0, 1)]) == [Overlap(("ha1", "ha2"), 2.0, 2.0)]


def test_a_direct_probe_is_no_answer_of_the_service() -> None:
    assert to_service([heard(1.0, "ha1", target="ha1")]) == []


def test_a_refused_connection_is_counted_and_a_greeting_is_not() -> None:
    assert [answer.at for answer in unanswered(MOVE)] == [1.2, 1.3]


def test_between_takes_what_ended_in_the_span() -> None:
    assert [answer.at for answer in between(MOVE, 1.05, 1.25)] == [1.1, 1.2]


def test_the_node_is_read_from_behind_any_greeting() -> None:
    assert responder("This is a test! This is ha1!\n", EXPECT) == "ha1"
    assert responder("Hello, world\n", EXPECT) is None
