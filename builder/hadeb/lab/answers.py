# SPDX-License-Identifier: Apache-2.0
"""What clients heard, and what can be read from it. Pure; all times in seconds, monotonic."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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


# A node that falls silent for so many seconds between two answers may have been replaced.
_AT_ONCE = 0.3
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


def turns(answers: Iterable[Answer]) -> list[Turn]:
    """Who answered, in order. Two nodes that answer at once take turns again and again.

    A direct probe counts like a client, so pass both to find a second active instance.
    """
    heard = sorted((one.at, one.who) for one in answers if one.who)
    found = []
    for who, group in itertools.groupby(heard, key=lambda one: one[1]):
        times = [at for at, _ in group]
        found.append(Turn(who, times[0], times[-1], len(times)))
    return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """A time in which two nodes answered."""

    start: float
    end: float
    nodes: tuple[str, str]


def overlap(answers: Iterable[Answer]) -> Overlap | None:
    """The time from the first to the last moment at which two nodes answered in turn.

    A service that moves and comes back has turns too, but none so short.
    """
    found = turns(answers)
    short = [
        (before, one)
        for before, one, after in zip(found, found[1:], found[2:], strict=False)
        if before.who == after.who and after.start - before.end < _AT_ONCE
    ]
    if not short:
        return None
    before, first = short[0]
    last = short[-1][1]
    return Overlap(first.start, last.end, (before.who, first.who))


def unanswered(answers: Iterable[Answer]) -> list[Answer]:
    """The connections that were refused, cut or left waiting."""
    return [one for one in answers if one.error is not None]


def median(values: Sequence[float]) -> float:
    """The middle value of an odd number, the upper middle of an even one: never flattering."""
    return sorted(values)[len(values) // 2]
