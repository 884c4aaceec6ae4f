# SPDX-License-Identifier: Apache-2.0
"""Numbered marks on a line, none of which hides another: those too near share one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

# The widest words of a mark, and how far apart two marks stay.
_WIDEST, _APART = 9, 3


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark with the numbers of its events; `lab` where one of them is the lab's own doing."""

    x: float
    numbers: tuple[int, ...]
    lab: bool = False

    @property
    def words(self) -> str:
        """The numbers, in short: spans as spans, and where even these are many the outer two."""
        spans: list[list[int]] = []
        for number in self.numbers:
            if spans and number == spans[-1][-1] + 1:
                spans[-1][1:] = [number]
            else:
                spans.append([number])
        words = ",".join("\N{EN DASH}".join(map(str, span)) for span in spans)
        return words if len(words) <= _WIDEST else f"{self.numbers[0]}…{self.numbers[-1]}"

    @property
    def width(self) -> float:
        """How wide it is drawn."""
        return max(16.0, 7.0 * len(self.words) + 6)


def marks(single: Iterable[Mark], left: float, right: float) -> list[Mark]:
    """The marks between two edges, from left to right; a shared one stands where its first did."""
    found: list[Mark] = []
    for mark in sorted(single, key=lambda one: one.x):
        new = _within(mark, left, right)
        while found and new.x - new.width / 2 < found[-1].x + found[-1].width / 2 + _APART:
            last = found.pop()
            numbers = tuple(sorted((*last.numbers, *new.numbers)))
            new = _within(Mark(last.x, numbers, last.lab or new.lab), left, right)
        found.append(new)
    return found


def _within(mark: Mark, left: float, right: float) -> Mark:
    half = mark.width / 2
    return replace(mark, x=round(max(left + half, min(mark.x, right - half)), 1))
