# SPDX-License-Identifier: Apache-2.0
"""What clients received, and what can be read from it. Pure; all times in seconds, monotonic."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Answers less than this many seconds apart belong together.
TOGETHER = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one connection.

    It was `asked` and ended `at`; `target` is what was asked, "service" or a node's name; `who` is
    the node that the answer names. Exactly one of `who` and `error` is set, unless the answer is
    not the expected one.
    """

    asked: float
    at: float
    source: str
    target: str
    who: str | None
    text: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A node's answers in a row, with no other node's between them."""

    who: str
    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """A time in which more than one node answered."""

    nodes: tuple[str, ...]
    start: float
    end: float


# The target that is the service's own address.
SERVICE = "service"
# Stands for the node in a right answer that does not name one.
UNNAMED = "somebody"


def responder(text: str, expect: str) -> str | None:
    """The node that gave an answer: the group `node` of `expect`. None if the answer is wrong."""
    match = re.search(expect, text)
    if not match:
        return None
    return match.groupdict().get("node") or UNNAMED


def between(answers: Iterable[Answer], start: float, end: float) -> list[Answer]:
    """The answers that ended in a span of time, in order."""
    inside = [answer for answer in answers if start <= answer.at <= end]
    return sorted(inside, key=lambda answer: (answer.at, answer.asked))


def to_service(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that came through the service's address."""
    return [answer for answer in answers if answer.target == SERVICE]


def turns(answers: Iterable[Answer], *, apart: float = math.inf) -> list[Turn]:
    """Which node answered when, in order. Two nodes that both answer take many short turns.

    A direct probe counts like a client, so pass both to find a second active instance. A silence
    longer than `apart` also ends a turn. Otherwise a node that went away and came back by itself
    would look as if it never left.
    """
    taken: list[Turn] = []
    for at, who in sorted((answer.at, answer.who) for answer in answers if answer.who):
        if taken and taken[-1].who == who and at - taken[-1].end <= apart:
            taken[-1] = Turn(who, taken[-1].start, at, taken[-1].count + 1)
        else:
            taken.append(Turn(who, at, at, 1))
    return taken


def turns_of(who: str, taken: Iterable[Turn], *, apart: float = TOGETHER) -> list[Turn]:
    """One node's turns, joined where only other nodes' answers come between them."""
    joined: list[Turn] = []
    own = [turn for turn in taken if turn.who == who]
    for turn in sorted(own, key=lambda turn: turn.start):
        if joined and turn.start - joined[-1].end <= apart:
            last = joined[-1]
            end, count = max(last.end, turn.end), last.count + turn.count
            joined[-1] = Turn(who, last.start, end, count)
        else:
            joined.append(turn)
    return joined


def overlaps(taken: Sequence[Turn]) -> list[Overlap]:
    """When more than one node answered: one node, then another, then the first one again."""
    points: list[tuple[float, int, str]] = []
    for who in {turn.who for turn in taken}:
        for turn in turns_of(who, taken):
            points += [(turn.start, 0, who), (turn.end, 1, who)]
    overlapping: list[Overlap] = []
    active: set[str] = set()
    since = 0.0
    for at, ends, who in sorted(points):
        if len(active) > 1:
            overlapping.append(Overlap(tuple(sorted(active)), since, at))
        since = at
        (active.discard if ends else active.add)(who)
    return overlapping


def unanswered(answers: Iterable[Answer]) -> list[Answer]:
    """The connections that were refused, cut or timed out."""
    return [answer for answer in answers if answer.error is not None]
