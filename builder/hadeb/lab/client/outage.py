# SPDX-License-Identifier: Apache-2.0
"""How long clients went without an answer. Pure; all times in seconds, monotonic."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from hadeb.lab.client.answers import Answer


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without an answer; `before` and `after` are the nodes that answered around it."""

    start: float
    end: float
    before: str
    after: str

    @property
    def seconds(self) -> float:
        """How long the service was away."""
        return self.end - self.start


def gaps(answers: Iterable[Answer], *, over: float = 0.0) -> list[Gap]:
    """The times between one answer and the next that are longer than `over` seconds."""
    good = sorted((answer.at, answer.who) for answer in answers if answer.who)
    pairs = itertools.pairwise(good)
    between_answers = [Gap(start, end, before, after) for (start, before), (end, after) in pairs]
    return [gap for gap in between_answers if gap.seconds > over]


def outage(answers: Iterable[Answer]) -> Gap | None:
    """The longest gap; None if fewer than two answers came."""
    return max(gaps(answers), key=lambda gap: gap.seconds, default=None)
