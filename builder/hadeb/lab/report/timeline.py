# SPDX-License-Identifier: Apache-2.0
"""A picture of a fault: which node answered when, as SVG. Pure, but for reading its style.

A picture in its own file has a background, so that it looks the same on a light page and on a
dark one. Inside a report's page it has neither background nor style: the page has `style()` once.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from hadeb.lab.client.answers import TOGETHER, Turn, overlaps, turns_of
from hadeb.lab.client.outage import Gap
from hadeb.lab.report.labels import Label, arrange
from hadeb.lab.verdict.result import Event

WIDTH = 900
_HEADER = 62
_RIGHT = 28
_LANE, _BAR = 46, 20
_NOTE = 22
# The greatest width of a letter on a bar, and of one in a lane's name.
_LETTER, _BOLD = 6.6, 8.5
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Story:
    """What a picture shows: a fault, the answers around it, and what the cluster did.

    `off` is whether the fault cut the node's power, `returned` whether the service came back.
    `turns` are the answers through the service's address, `direct` those at each node's own.
    `captions` has the text of each node's answers, if it is more than the node's name.
    """

    title: str
    subtitle: str
    nodes: Sequence[str]
    fault: Event
    events: Sequence[Event]
    turns: Sequence[Turn]
    start: float
    end: float
    direct: Sequence[Turn] = ()
    off: bool = False
    returned: bool = True
    captions: Mapping[str, str] = field(default_factory=dict)


def timeline(story: Story) -> str:
    """The story as an SVG file, with its title above and the events' texts below."""
    drawing = _Drawing(story, WIDTH, inset=20, top=_HEADER)
    rows = _NOTE * len(story.events) + (8 if story.events else 0)
    height = drawing.height + 12 + rows
    spoken = _quoted(f"{story.title}. {story.subtitle}")
    return "\n".join(
        [
            "<!-- SPDX-License-Identifier: Apache-2.0 -->",
            f'<svg class="timeline" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
            f'aria-label="{spoken}">',
            f"<style>{style()}</style>",
            f'<rect class="page" x="0.5" y="0.5" rx="8" width="{WIDTH - 1}" '
            f'height="{height - 1}"/>',
            _text("title", 20, 34, story.title),
            _text("text", 20, 56, story.subtitle),
            *drawing.lanes(),
            *_notes(story, drawing.height + 18),
            "</svg>\n",
        ]
    )


@functools.cache
def style() -> str:
    """The style sheet of every picture, without its comments."""
    text = Path(__file__).with_name("timeline.css").read_text(encoding="utf-8")
    rules = (line for line in text.splitlines() if not line.startswith("/*"))
    return "\n" + "".join(f"{rule}\n" for rule in rules)


def inline(story: Story, width: int) -> str:
    """The story's lanes alone, for a page that has `style()` and lists the events itself."""
    drawing = _Drawing(story, width, inset=0, top=0)
    spoken = _quoted(f"{story.title}. {story.subtitle}")
    return "\n".join(
        [
            f'<svg class="timeline" viewBox="0 0 {width} {drawing.height}" role="img" '
            f'aria-label="{spoken}">',
            *drawing.lanes(),
            "</svg>",
        ]
    )


class _Drawing:
    """The layout: time runs to the right, and the clients' lane is the first."""

    def __init__(self, story: Story, width: int, *, inset: int, top: int) -> None:
        self._story, self._inset = story, inset
        self._names = ["clients", *story.nodes]
        if any(event.node not in story.nodes for event in story.events):
            # Events that happened to no particular node have a lane of their own.
            self._names.append("cluster")
        longest = max(len(name) for name in self._names)
        self._left = inset + round(min(_BOLD * longest + 14, width / 4))
        self._end = width - (_RIGHT if inset else 8)
        self._top = top + 30
        self._bottom = self._top + _LANE * len(self._names)
        self.height = self._bottom + 32

    def lanes(self) -> Iterable[str]:
        """The lanes, with everything in them."""
        story = self._story
        yield from self._axis()
        yield from self._silence()
        for name in self._names:
            yield from self._lane(name)
        yield from self._both()
        x = self._x(story.fault.at)
        yield f'<path class="fault" d="M{x} {self._top - 8}V{self._bottom + 6}"/>'
        yield _text("alarm", x, self._top - 14, story.fault.text, anchor="middle")
        lanes: dict[str, list[tuple[int, Event]]] = {}
        for number, event in enumerate(in_order(story.events), 1):
            name = event.node if event.node in story.nodes else "cluster"
            lanes.setdefault(name, []).append((number, event))
        for name, events in lanes.items():
            # Above the lane, where bars have no text.
            y = self._y(name) - _BAR // 2 - 9
            labels = [Label(self._x(e.at), (n,), lab=e.kind == "fault") for n, e in events]
            for label in arrange(labels, self._left, self._end):
                yield from _badge(label, y)

    def _x(self, at: float) -> float:
        start, end = self._story.start, self._story.end
        share = (min(max(at, start), end) - start) / max(end - start, 0.001)
        return round(self._left + share * (self._end - self._left), 1)

    def _y(self, name: str) -> int:
        return self._top + _LANE * self._names.index(name) + _LANE // 2

    def _axis(self) -> Iterable[str]:
        """A line for every step of the scale, counted from the fault."""
        zero, start, end = self._story.fault.at, self._story.start, self._story.end
        most = (self._end - self._left) / 48
        # The label of a fraction is longer.
        step = next(
            (
                candidate
                for candidate in _STEPS
                if (end - start) / candidate <= (most if candidate >= 1 else most * 0.75)
            ),
            (end - start) / 4,
        )
        for number in range(math.ceil((start - zero) / step), math.floor((end - zero) / step) + 1):
            x = self._x(zero + number * step)
            yield f'<path class="rule" d="M{x} {self._top}V{self._bottom + 6}"/>'
            label = signed(number * step, "g") if number else "0"
            yield _text("text", x, self._bottom + 24, label, anchor="middle")

    def _lane(self, name: str) -> Iterable[str]:
        """A lane's name and its bars; a node's show when it answered, and whether it had power."""
        story, y = self._story, self._y(name)
        yield _text("lane", self._inset, y + 5, name, room=(self._left - self._inset - 8) / _BOLD)
        if name == "clients":
            for turn in story.turns:
                yield from self._bar(turn, y, story.captions.get(turn.who, turn.who))
            return
        dies = story.off and story.fault.node == name
        end = self._x(story.fault.at) if dies else self._end
        yield f'<path class="on" d="M{self._left} {y}H{end}"/>'
        if dies:
            yield f'<path class="off" d="M{end} {y}H{self._end}"/>'
        for turn in turns_of(name, story.turns):
            yield from self._bar(turn, y, _counted(turn))
        for turn in turns_of(name, story.direct):
            # Thinner, below: the answers at the node's own address.
            yield from self._bar(turn, y + _BAR // 2 + 4, f"{_counted(turn)} directly", height=4)

    def _bar(self, turn: Turn, y: float, words: str, *, height: int = _BAR) -> Iterable[str]:
        story = self._story
        if turn.end < story.start or turn.start > story.end:
            return
        left, right = self._x(turn.start), self._x(turn.end)
        style = f"n{list(story.nodes).index(turn.who) % 4}" if turn.who in story.nodes else "nx"
        yield (
            f'<rect class="{style}" x="{left}" y="{y - height / 2:g}" rx="{min(3, height / 2):g}" '
            f'width="{max(2.0, round(right - left, 1))}" height="{height}">'
            f"<title>{escape(words)}</title></rect>"
        )
        if height == _BAR and right - left > _LETTER * len(words):
            yield _text("said", round((left + right) / 2, 1), y + 4, words, anchor="middle")

    def _silence(self) -> Iterable[str]:
        """The longest time without an answer, through all lanes, and the shorter ones."""
        gaps = silences(self._story)
        longest = max(gaps, key=lambda gap: gap.seconds, default=None)
        for gap in gaps:
            left, right = self._x(gap.start), self._x(gap.end)
            style = "gap" if gap is longest else "lull"
            yield (
                f'<rect class="{style}" x="{left}" y="{self._top}" '
                f'width="{max(2.0, round(right - left, 1))}" height="{self._bottom - self._top}"/>'
            )
            if gap is not longest:
                continue
            label = "no answer at all" if not gap.before else "no answer any more"
            if gap.after:
                label = f"no answer for {precise(gap.seconds)}"
            y = self._y("clients")
            for words in (label, precise(gap.seconds)):
                if right - left > 7.6 * len(words) + 6:
                    yield _text("alarm", (left + right) / 2, y + 5, words, anchor="middle")
                    return
            middle = min(right + 8, self._end - 7.6 * len(label))
            yield _text("alarm", middle, y - 13, label)

    def _both(self) -> Iterable[str]:
        """A frame around the lanes of nodes that answered at the same time."""
        story = self._story
        for both in overlaps([*story.turns, *story.direct]):
            rows = [self._y(name) for name in both.nodes if name in story.nodes]
            if len(rows) < 2:
                continue
            left, right = self._x(both.start) - 3, self._x(both.end) + 3
            top, bottom = min(rows) - _BAR / 2 - 4, max(rows) + _BAR / 2 + 9
            words = f"{' and '.join(both.nodes)} answered at the same time"
            yield (
                f'<rect class="both" x="{left:g}" y="{top:g}" rx="4" '
                f'width="{right - left:.1f}" height="{bottom - top:g}">'
                f"<title>{escape(words)}</title></rect>"
            )


def silences(story: Story) -> list[Gap]:
    """The times without an answer. A time that did not end has an empty `after`."""
    turns = sorted(story.turns, key=lambda turn: turn.start)
    pairs = itertools.pairwise(turns)
    gaps = [Gap(turn.end, after.start, turn.who, after.who) for turn, after in pairs]
    if not story.returned:
        last = max(turns, key=lambda turn: turn.end, default=Turn("", story.start, story.start, 0))
        gaps.append(Gap(last.end, story.end, last.who, ""))
    gaps = [gap for gap in gaps if gap.seconds > 0]
    longest = max((gap.seconds for gap in gaps), default=0.0)
    return [gap for gap in gaps if gap.seconds == longest or gap.seconds > TOGETHER]


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events in the order of their numbers."""
    return sorted(events, key=lambda event: event.at)


def signed(seconds: float, form: str = ".2f") -> str:
    """A time after the fault, or before it."""
    return f"{seconds:+{form}} s".replace("-", "\N{MINUS SIGN}")


def precise(seconds: float) -> str:
    """A length of time, as precise as a reader needs it."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"


def _counted(turn: Turn) -> str:
    return f"{turn.count} answers" if turn.count != 1 else "1 answer"


def _notes(story: Story, top: int) -> Iterable[str]:
    for number, event in enumerate(in_order(story.events), 1):
        row = top + _NOTE * (number - 1)
        yield from _badge(Label(30, (number,), lab=event.kind == "fault"), row)
        where = f"{event.node}: " if event.node else ""
        after = signed(event.at - story.fault.at)
        yield _text("text", 46, row + 4, f"{after}  {where}{event.text}")


def _badge(label: Label, y: float) -> Iterable[str]:
    style, corner = ("mark lab", 2) if label.lab else ("mark", 8)
    left, width = label.x - label.width / 2, label.width
    yield (
        f'<rect class="{style}" x="{left:g}" y="{y - 8:g}" rx="{corner}" width="{width:g}" '
        f'height="16"/><text class="number" x="{label.x:g}" y="{y + 4:g}">{label.text}</text>'
    )


def _text(
    style: str, x: float, y: float, words: str, *, anchor: str = "start", room: float = math.inf
) -> str:
    shown = words if len(words) <= room else f"{words[: max(1, int(room) - 1)]}…"
    return (
        f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(shown)}</text>'
    )


def _quoted(words: str) -> str:
    return escape(words, {'"': "&quot;"})
