# SPDX-License-Identifier: Apache-2.0
"""A report as one self-contained HTML page. Pure, but for reading its template."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from hadeb.lab.client.answers import TOGETHER, overlaps
from hadeb.lab.report.text import escape
from hadeb.lab.report.timeline import Story, in_order, inline, precise, signed, style
from hadeb.lab.verdict.data import sentence
from hadeb.lab.verdict.result import Event, Report, Run, Totals, Trial, totals

T = TypeVar("T")
# How wide the timeline is on a screen, and on a phone, whose letters are as big.
_WIDE, _NARROW = 960, 340


@dataclass(frozen=True, slots=True)
class _TrialView:
    """A trial, with what else the page shows about it."""

    trial: Trial
    anchor: str
    wide: Markup
    narrow: Markup
    events: Sequence[Event]
    both: Sequence[str]
    data: Sequence[str]
    filled: float


@dataclass(frozen=True, slots=True)
class _RunView:
    """A run with its trials as the page shows them."""

    run: Run
    totals: Totals
    trials: Sequence[_TrialView]

    @property
    def short(self) -> Sequence[_TrialView]:
        """What fell short."""
        return [view for view in self.trials if not view.trial.passed]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One fault in both runs; `share` is the first outage divided by the second."""

    own: _TrialView
    other: _TrialView | None
    share: float | None
    bars: tuple[float, float]


def page(report: Report) -> str:
    """The page as HTML."""
    clean = _escaped(report)
    taken: set[str] = set()
    groups = [
        _RunView(run, totals(run), [_view(trial, clean.nodes, taken) for trial in run.trials])
        for run in clean.runs
    ]
    template = _environment().get_template("page.html.j2")
    return template.render(
        report=clean,
        style=Markup(style()),  # noqa: S704 our own file
        verdict=_verdict(clean, groups[0].totals),
        groups=groups,
        pairs=_pairs(*groups[:2]) if len(groups) > 1 else [],
        began=_moment(clean.began),
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    environment.filters |= {
        "signed": signed,
        "precise": precise,
        "lasting": _lasting,
        # Whatever the name of a log, its link leads below the report's own directory.
        "link": lambda path: f"./{quote(path, errors='replace')}",
    }
    return environment


def _escaped(value: T) -> T:
    """The same value with every text in it made escape."""
    if isinstance(value, str):
        return escape(value, lines=True)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(_escaped(item) for item in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        escaped = {field.name: _escaped(getattr(value, field.name)) for field in fields(value)}
        return replace(value, **escaped)
    return value


def _verdict(report: Report, numbers: Totals) -> str:
    if not numbers.trials:
        return "Nothing was tried"
    return "Passed" if report.passed else f"{numbers.failed} of {numbers.trials} fell short"


def _view(trial: Trial, nodes: Sequence[str], taken: set[str]) -> _TrialView:
    story = _story(trial, nodes)
    if trial.outage is None:
        filled = 100.0
    else:
        filled = 100.0 * min(1.0, trial.outage / trial.budget) if trial.budget else 0.0
    return _TrialView(
        trial,
        _anchor(trial.fault, taken),
        # timeline.py escapes every text.
        Markup(inline(story, _WIDE)),  # noqa: S704
        Markup(inline(story, _NARROW)),  # noqa: S704
        in_order(trial.events),
        list(_both(trial)),
        [sentence(reading) for reading in trial.readings],
        round(filled, 1),
    )


def _story(trial: Trial, nodes: Sequence[str]) -> Story:
    start, end = _window(trial)
    return Story(
        title=trial.fault,
        subtitle=_description(trial),
        nodes=nodes,
        fault=Event(0.0, "", "fault"),
        events=trial.events,
        turns=trial.turns,
        start=start,
        end=end,
        direct=trial.direct,
        returned=trial.outage is not None,
    )


def _window(trial: Trial) -> tuple[float, float]:
    """The part of the trial in which something happens, with a margin on both sides."""
    everyone = [*trial.turns, *trial.direct]
    happened = [event.at for event in trial.events]
    turns = sorted(trial.turns, key=lambda turn: turn.start)
    back = [
        after.start
        for turn, after in itertools.pairwise(turns)
        if after.start - turn.end > TOGETHER
    ]
    ends = [overlap.end for overlap in overlaps(everyone)]
    last = max([0.0, *back, *happened, *(ends if len(ends) < 9 else [])])
    last_answer = max((turn.end for turn in everyone), default=math.inf)
    end = last + max(1.0, last / 4)
    if trial.outage is not None:
        end = max(min(end, last_answer), last + 0.2)
    first = min([0.0, *happened, *back])
    return min(first, -end / 5) - 0.05, end


def _description(trial: Trial) -> str:
    """What the picture shows, for readers who cannot see it."""
    if not trial.turns:
        return "No node answered."
    sentences = [
        f"{turn.who} answered from {signed(turn.start)} to {signed(turn.end)}"
        for turn in sorted(trial.turns, key=lambda turn: turn.start)[:6]
    ]
    return f"{'; '.join(sentences)}{'; and so on' if len(trial.turns) > 6 else ''}."


def _both(trial: Trial) -> Iterable[str]:
    """A sentence for each group of nodes that answered at the same time."""
    times: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for overlap in overlaps([*trial.turns, *trial.direct]):
        times.setdefault(overlap.nodes, []).append((overlap.start, overlap.end))
    for nodes, spans in times.items():
        names = f"{', '.join(nodes[:-1])} and {nodes[-1]}"
        often = "" if len(spans) == 1 else f", {len(spans)} times"
        yield (
            f"{names} answered at the same time{often}: from {signed(spans[0][0])}"
            f" to {signed(spans[-1][1])}."
        )


def _anchor(fault: str, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", fault.lower())[:40].strip("-") or "fault"
    others = (f"{name}-{number}" for number in itertools.count(2))
    anchor = next(free for free in itertools.chain([name], others) if free not in taken)
    taken.add(anchor)
    return anchor


def _pairs(own: _RunView, other: _RunView) -> list[_Comparison]:
    """Each fault of the first run, with the same fault of the second."""
    theirs = {view.trial.fault: view for view in other.trials}
    outages = [view.trial.outage for group in (own, other) for view in group.trials]
    longest = max((outage for outage in outages if outage is not None), default=0.0)
    comparisons = []
    for view in own.trials:
        match = theirs.get(view.trial.fault)
        bars = (_bar(view, longest), _bar(match, longest))
        comparisons.append(_Comparison(view, match, _share(view, match), bars))
    return comparisons


def _share(own: _TrialView, other: _TrialView | None) -> float | None:
    if other is None or own.trial.outage is None or not other.trial.outage:
        return None
    return own.trial.outage / other.trial.outage


def _bar(shown: _TrialView | None, longest: float) -> float:
    if shown is None or not longest:
        return 0.0
    return 100.0 if shown.trial.outage is None else round(100 * shown.trial.outage / longest, 1)


def _lasting(seconds: float) -> str:
    """A longer time in words."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _moment(began: str) -> str:
    match = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", began)
    return f"{match[1]} {match[2]} UTC" if match else began
