# SPDX-License-Identifier: Apache-2.0
"""What clients heard, and what can be read from it. Pure; all times in seconds, monotonic."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Answers nearer than this, in seconds, belong together.
TOGETHER = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """How one connection went.

    It was `asked` and ended `at`; `target` is what was asked, "service" or a node's name; `who`
    is the node that says it answered. Exactly one of `who` and `error` is set, unless somebody
    answered whom nobody knows.
    """

    asked: float
    at: float
    source: str
    target: str
    who: str | None
    text: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody answered; `before` and `after` say who did around it."""

    start: float
    end: float
    before: str
    after: str

    @property
    def seconds(self) -> float:
        """How long the service was away."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Turn:
    """A node's answers in a row, with nobody else's between them."""

    who: str
    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A time in which more than one node answered."""

    nodes: tuple[str, ...]
    start: float
    end: float


# The target that is the service's own address.
SERVICE = "service"
# Who gave a right answer that names nobody.
SOMEBODY = "somebody"


def speaker(text: str, expect: str) -> str | None:
    """Who gave an answer: the group `node` of what is expected. None where the answer is wrong."""
    found = re.search(expect, text)
    if not found:
        return None
    return found.groupdict().get("node") or SOMEBODY


def between(answers: Iterable[Answer], start: float, end: float) -> list[Answer]:
    """The answers that ended in a span of time, in order."""
    return sorted(
        (one for one in answers if start <= one.at <= end), key=lambda one: (one.at, one.asked)
    )


def to_service(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that came through the service's address."""
    return [one for one in answers if one.target == SERVICE]


def gaps(answers: Iterable[Answer], *, over: float = 0.0) -> list[Gap]:
    """The times between one answer and the next that are longer than `over` seconds."""
    heard = [(one.at, one.who) for one in answers if one.who]
    pairs = itertools.pairwise(sorted(heard))
    found = [Gap(start, end, before, after) for (start, before), (end, after) in pairs]
    return [gap for gap in found if gap.seconds > over]


def outage(answers: Iterable[Answer]) -> Gap | None:
    """The longest gap; None where fewer than two answers came."""
    return max(gaps(answers), key=lambda gap: gap.seconds, default=None)


def turns(answers: Iterable[Answer], *, apart: float = math.inf) -> list[Turn]:
    """Who answered, in order. Two nodes that answer at once take turns again and again.

    A direct probe counts like a client, so pass both to find a second active instance. A silence
    longer than `apart` ends a turn too: without it, a node that came back seems never gone.
    """
    found: list[Turn] = []
    for at, who in sorted((one.at, one.who) for one in answers if one.who):
        if found and found[-1].who == who and at - found[-1].end <= apart:
            found[-1] = Turn(who, found[-1].start, at, found[-1].count + 1)
        else:
            found.append(Turn(who, at, at, 1))
    return found


def spells(taken: Iterable[Turn], who: str, *, apart: float = TOGETHER) -> list[Turn]:
    """When one node answered, whoever else did between its answers."""
    found: list[Turn] = []
    for turn in sorted((one for one in taken if one.who == who), key=lambda one: one.start):
        if found and turn.start - found[-1].end <= apart:
            last = found[-1]
            end, count = max(last.end, turn.end), last.count + turn.count
            found[-1] = Turn(who, last.start, end, count)
        else:
            found.append(turn)
    return found


def at_once(taken: Sequence[Turn]) -> list[AtOnce]:
    """When more than one node answered: one of them, and another, and the first one again."""
    points: list[tuple[float, int, str]] = []
    for who in {turn.who for turn in taken}:
        for spell in spells(taken, who):
            points += [(spell.start, 0, who), (spell.end, 1, who)]
    found: list[AtOnce] = []
    active: set[str] = set()
    since = 0.0
    for at, ends, who in sorted(points):
        if len(active) > 1:
            found.append(AtOnce(tuple(sorted(active)), since, at))
        since = at
        (active.discard if ends else active.add)(who)
    return found


def unanswered(answers: Iterable[Answer]) -> list[Answer]:
    """The connections that were refused, cut or left waiting."""
    return [one for one in answers if one.error is not None]


def median(values: Sequence[float]) -> float:
    """The middle value of an odd number, the upper middle of an even one: never flattering."""
    return sorted(values)[len(values) // 2]
