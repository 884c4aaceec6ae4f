# SPDX-License-Identifier: Apache-2.0
"""Numbered labels on a line, without overlaps: events too close together share a label. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

# The longest text of a label, and the least distance between two labels.
_LONGEST, _APART = 9, 3


@dataclass(frozen=True, slots=True)
class Label:
    """A label with the numbers of its events; `lab` if one of them is what the lab did."""

    x: float
    numbers: tuple[int, ...]
    lab: bool = False

    @property
    def text(self) -> str:
        """The numbers, consecutive ones as a range; if that is too long, the first and the last."""
        ranges: list[list[int]] = []
        for number in self.numbers:
            if ranges and number == ranges[-1][-1] + 1:
                ranges[-1][1:] = [number]
            else:
                ranges.append([number])
        text = ",".join("\N{EN DASH}".join(map(str, ends)) for ends in ranges)
        return text if len(text) <= _LONGEST else f"{self.numbers[0]}…{self.numbers[-1]}"

    @property
    def width(self) -> float:
        """How wide it is drawn."""
        return max(16.0, 7.0 * len(self.text) + 6)


def arrange(labels: Iterable[Label], left: float, right: float) -> list[Label]:
    """The labels between two edges, from left to right; a shared one stands where its first did."""
    arranged: list[Label] = []
    for label in sorted(labels, key=lambda label: label.x):
        new = _within(label, left, right)
        while arranged and _overlap(arranged[-1], new):
            last = arranged.pop()
            numbers = tuple(sorted((*last.numbers, *new.numbers)))
            new = _within(Label(last.x, numbers, last.lab or new.lab), left, right)
        arranged.append(new)
    return arranged


def _overlap(last: Label, new: Label) -> bool:
    return new.x - new.width / 2 < last.x + last.width / 2 + _APART


def _within(label: Label, left: float, right: float) -> Label:
    half = label.width / 2
    return replace(label, x=round(max(left + half, min(label.x, right - half)), 1))
