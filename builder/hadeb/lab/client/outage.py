# SPDX-License-Identifier: Apache-2.0
"""How long clients went without an answer. Pure; all times in seconds, monotonic."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from hadeb.lab.client.answers import Answer


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which the client itself did not run: the machine was busy with something else."""

    start: float
    end: float

    def within(self, start: float, end: float) -> float:
        """How many seconds of it lie between two moments."""
        return max(0.0, min(self.end, end) - max(self.start, start))


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without an answer; `before` and `after` are the nodes that answered around it.

    `stalled` is how much of it the client itself did not run, and could not have had an answer.
    """

    start: float
    end: float
    before: str
    after: str
    stalled: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the service was away, as far as a client that ran could tell."""
        return self.end - self.start - self.stalled


def gaps(
    answers: Iterable[Answer], stalls: Iterable[Stall] = (), *, over: float = 0.0
) -> list[Gap]:
    """The times between one answer and the next that are longer than `over` seconds."""
    known = tuple(stalls)
    good = sorted((answer.at, answer.who) for answer in answers if answer.who)
    between_answers = [
        Gap(start, end, before, after, sum(stall.within(start, end) for stall in known))
        for (start, before), (end, after) in itertools.pairwise(good)
    ]
    return [gap for gap in between_answers if gap.seconds > over]


def outage(answers: Iterable[Answer], stalls: Iterable[Stall] = ()) -> Gap | None:
    """The longest gap; None if fewer than two answers came."""
    return max(gaps(answers, stalls), key=lambda gap: gap.seconds, default=None)
