# SPDX-License-Identifier: Apache-2.0
"""A picture of a fault: who answered when, as one self-contained SVG. Pure.

The picture brings its own background, so that it reads the same on a light page and on a dark one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from hadeb.lab.answers import Answer, Turn, outage, to_service, turns

WIDTH = 900
_LEFT, _RIGHT = 96, 28
_TOP, _LANE, _BAR = 92, 46, 20
_NOTE = 22
# How wide a letter on a bar may be, at most.
_LETTER = 6.6
# Answers nearer than this, in seconds, are one bar.
_TOGETHER = 0.2

_STYLE = """
svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.page { fill: #ffffff; stroke: #d5d9e0; }
.title { fill: #1b2430; font-size: 19px; font-weight: 600; }
.text { fill: #46505e; font-size: 13px; }
.lane { fill: #1b2430; font-size: 14px; font-weight: 600; }
.rule { stroke: #d5d9e0; stroke-width: 1; }
.on { stroke: #b4bcc8; stroke-width: 2; }
.off { stroke: #b4bcc8; stroke-width: 2; stroke-dasharray: 2 6; }
.fault { stroke: #c8323c; stroke-width: 2; stroke-dasharray: 5 4; }
.alarm { fill: #c8323c; font-size: 14px; font-weight: 600; }
.gap { fill: #c8323c; fill-opacity: 0.14; stroke: #c8323c; stroke-width: 1; }
.mark { fill: #1b2430; }
.number { fill: #ffffff; font-size: 11px; font-weight: 700; text-anchor: middle; }
.said { fill: #ffffff; font-size: 12px; }
.n0 { fill: #2f6fd0; } .n1 { fill: #0f8f6f; } .n2 { fill: #9a5bc4; }
.n3 { fill: #b8741a; } .n4 { fill: #5b6b7f; }
@media (prefers-color-scheme: dark) {
.page { fill: #161b22; stroke: #333c48; }
.title, .lane { fill: #e8edf3; }
.text { fill: #a9b4c2; }
.rule { stroke: #333c48; }
.on, .off { stroke: #566273; }
.fault, .gap { stroke: #ff6b6f; } .gap { fill: #ff6b6f; fill-opacity: 0.18; }
.alarm { fill: #ff8286; }
.mark { fill: #e8edf3; } .number, .said { fill: #161b22; }
.n0 { fill: #6ba3f5; } .n1 { fill: #3fc79f; } .n2 { fill: #c394e6; }
.n3 { fill: #e0a552; } .n4 { fill: #95a3b5; }
}
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a node, on the clock of the answers."""

    at: float
    node: str
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a picture is to show: a fault, the answers around it, and what the cluster did.

    `off` says whether the fault took the node's power. Answers before `start` are left out.
    """

    title: str
    subtitle: str
    nodes: Sequence[str]
    fault: Event
    off: bool
    events: Sequence[Event]
    answers: Sequence[Answer]
    start: float
    end: float


def timeline(story: Story) -> str:
    """The story as SVG."""
    shown = [one for one in to_service(story.answers) if story.start <= one.at <= story.end]
    drawing = _Drawing(story)
    parts = [
        *_header(story),
        *drawing.axis(),
        *drawing.clients(shown),
        *(part for name in story.nodes for part in drawing.node(name, shown)),
        *drawing.fault(),
        *drawing.notes(),
    ]
    spoken = f"{story.title}. {story.subtitle}"
    return "\n".join(
        [
            "<!-- SPDX-License-Identifier: Apache-2.0 -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {drawing.height}" '
            f'width="{WIDTH}" height="{drawing.height}" role="img" aria-label="{_quoted(spoken)}">',
            f"<style>{_STYLE}</style>",
            f'<rect class="page" x="0.5" y="0.5" rx="8" width="{WIDTH - 1}" '
            f'height="{drawing.height - 1}"/>',
            *parts,
            "</svg>\n",
        ]
    )


class _Drawing:
    """Where things go: time runs to the right, the clients' lane is the first."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._bottom = _TOP + _LANE * (len(story.nodes) + 1)
        self.height = self._bottom + 44 + _NOTE * len(story.events) + (8 if story.events else 0)

    def _x(self, at: float) -> float:
        span = self._story.end - self._story.start
        share = (min(max(at, self._story.start), self._story.end) - self._story.start) / span
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def _y(self, node: str) -> int:
        return _TOP + _LANE * (1 + list(self._story.nodes).index(node)) + _LANE // 2

    def _bar(self, turn: Turn, y: int, words: str) -> Iterable[str]:
        left, right = self._x(turn.start), self._x(turn.end)
        number = list(self._story.nodes).index(turn.who) if turn.who in self._story.nodes else 4
        yield (
            f'<rect class="n{number}" x="{left}" y="{y - _BAR // 2}" rx="3" '
            f'width="{max(2.0, round(right - left, 1))}" height="{_BAR}">'
            f"<title>{escape(words)}</title></rect>"
        )
        if right - left > _LETTER * len(words):
            yield _text("said", round((left + right) / 2, 1), y + 4, words, anchor="middle")

    def axis(self) -> Iterable[str]:
        """A line each second or so, counted from the fault."""
        zero, y = self._story.fault.at, self._bottom + 6
        step = next(one for one in (1, 2, 5, 10, 30, 60, 600) if self._span() / one <= 16)
        for second in range(-3600, 3601):
            at = zero + second
            if second % step == 0 and self._story.start <= at <= self._story.end:
                x = self._x(at)
                yield f'<path class="rule" d="M{x} {_TOP}V{y}"/>'
                label = "0" if second == 0 else f"{second:+d} s".replace("-", "\N{MINUS SIGN}")
                yield _text("text", x, y + 18, label, anchor="middle")

    def _span(self) -> float:
        return self._story.end - self._story.start

    def clients(self, answers: Sequence[Answer]) -> Iterable[str]:
        """What the clients heard, and where they heard nothing."""
        y = _TOP + _LANE // 2
        yield _text("lane", 20, y + 5, "clients")
        heard = {one.who: one.text.strip() for one in answers}
        for turn in turns(answers):
            yield from self._bar(turn, y, heard[turn.who])
        if gap := outage(answers):
            left, right = self._x(gap.start), self._x(gap.end)
            yield (
                f'<rect class="gap" x="{left}" y="{y - _BAR // 2}" '
                f'width="{max(2.0, round(right - left, 1))}" height="{_BAR}"/>'
            )
            label, middle = f"no answer for {gap.seconds:.1f} s", (left + right) / 2
            if right - left > 150:
                yield _text("alarm", middle, y + 5, label, anchor="middle")
            else:
                yield _text("alarm", right + 8, y - 16, label)

    def node(self, name: str, answers: Sequence[Answer]) -> Iterable[str]:
        """A node's lane: when it answered, and whether it had power."""
        y, fault = self._y(name), self._story.fault
        yield _text("lane", 20, y + 5, name)
        dies = self._story.off and fault.node == name
        end = self._x(fault.at) if dies else WIDTH - _RIGHT
        yield f'<path class="on" d="M{_LEFT} {y}H{end}"/>'
        if dies:
            yield f'<path class="off" d="M{end} {y}H{WIDTH - _RIGHT}"/>'
        for run in _runs(answers, name):
            yield from self._bar(run, y, f"{run.count} answers")

    def fault(self) -> Iterable[str]:
        """The fault's moment, through all lanes."""
        x = self._x(self._story.fault.at)
        yield f'<path class="fault" d="M{x} {_TOP - 8}V{self._bottom + 6}"/>'
        yield _text("alarm", x, _TOP - 14, self._story.fault.text, anchor="middle")

    def notes(self) -> Iterable[str]:
        """What the cluster did: a number on the node's lane, and the words below."""
        taken: dict[str, float] = {}
        for number, event in enumerate(sorted(self._story.events, key=lambda one: one.at), 1):
            # Above the lane, where no bar's words are.
            x, y = self._x(event.at), self._y(event.node) - _BAR // 2 - 9
            x = max(x, taken.get(event.node, 0.0) + 18)
            taken[event.node] = x
            yield _badge(x, y, number)
            row = self._bottom + 50 + _NOTE * (number - 1)
            yield _badge(30, row, number)
            after = event.at - self._story.fault.at
            yield _text("text", 46, row + 4, f"+{after:.2f} s  {event.node}: {event.text}")


def _header(story: Story) -> Iterable[str]:
    yield _text("title", 20, 34, story.title)
    yield _text("text", 20, 56, story.subtitle)


def _runs(answers: Iterable[Answer], who: str) -> list[Turn]:
    times = sorted(one.at for one in answers if one.who == who)
    breaks = [0]
    for number, (first, second) in enumerate(itertools.pairwise(times), 1):
        if second - first > _TOGETHER:
            breaks.append(number)
    ends = [*breaks[1:], len(times)]
    return [
        Turn(who, times[first], times[end - 1], end - first)
        for first, end in zip(breaks, ends, strict=True)
        if end > first
    ]


def _badge(x: float, y: float, number: int) -> str:
    return (
        f'<circle class="mark" cx="{x}" cy="{y}" r="8"/>'
        f'<text class="number" x="{x}" y="{y + 4}">{number}</text>'
    )


def _text(style: str, x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return (
        f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def _quoted(words: str) -> str:
    return escape(words, {'"': "&quot;"})
