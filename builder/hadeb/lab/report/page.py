# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page that needs nothing else. Pure, but for reading its template."""

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

from hadeb.lab.client.answers import TOGETHER, at_once
from hadeb.lab.report.text import legible
from hadeb.lab.report.timeline import Story, in_order, inline, precise, signed
from hadeb.lab.report.timeline_style import STYLE
from hadeb.lab.verdict.result import Event, Report, Run, Trial
from hadeb.lab.verdict.totals import Totals, totals

T = TypeVar("T")
# How wide the timeline is where there is room, and on a phone, whose letters are as big.
_WIDE, _NARROW = 960, 340


@dataclass(frozen=True, slots=True)
class _Shown:
    """A trial, with what the page says about it besides."""

    trial: Trial
    anchor: str
    wide: Markup
    narrow: Markup
    events: Sequence[Event]
    both: Sequence[str]
    filled: float


@dataclass(frozen=True, slots=True)
class _Group:
    """A run with its trials as they are shown."""

    run: Run
    totals: Totals
    trials: Sequence[_Shown]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One fault in both runs; `share` is the first outage divided by the second."""

    own: _Shown
    other: _Shown | None
    share: float | None
    bars: tuple[float, float]


def page(report: Report) -> str:
    """The page."""
    clean = _legible(report)
    taken: set[str] = set()
    groups = [
        _Group(run, totals(run), [_shown(one, clean.nodes, taken) for one in run.trials])
        for run in clean.runs
    ]
    template = _environment().get_template("page.html.j2")
    return template.render(
        report=clean,
        style=Markup(STYLE),  # noqa: S704 our own
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
        # Whatever a log is called, its link leads below the report's own directory.
        "link": lambda path: f"./{quote(path, errors='replace')}",
    }
    return environment


def _legible(value: T) -> T:
    """The same value with every text in it made legible."""
    if isinstance(value, str):
        return legible(value, lines=True)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(_legible(one) for one in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        made = {one.name: _legible(getattr(value, one.name)) for one in fields(value)}
        return replace(value, **made)
    return value


def _verdict(report: Report, found: Totals) -> str:
    if not found.trials:
        return "Nothing was tried"
    return "Passed" if report.passed else f"{found.failed} of {found.trials} fell short"


def _shown(trial: Trial, nodes: Sequence[str], taken: set[str]) -> _Shown:
    story = _story(trial, nodes)
    if trial.outage is None:
        filled = 100.0
    else:
        filled = 100.0 * min(1.0, trial.outage / trial.budget) if trial.budget else 0.0
    return _Shown(
        trial,
        _anchor(trial.fault, taken),
        # The drawer escapes what it is given.
        Markup(inline(story, _WIDE)),  # noqa: S704
        Markup(inline(story, _NARROW)),  # noqa: S704
        in_order(trial.events),
        list(_both(trial)),
        round(filled, 1),
    )


def _story(trial: Trial, nodes: Sequence[str]) -> Story:
    start, end = _window(trial)
    return Story(
        title=trial.fault,
        subtitle=_spoken(trial),
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
    """The part of the trial in which something happens, with some quiet around it."""
    everyone = [*trial.turns, *trial.direct]
    happened = [event.at for event in trial.events]
    turns = sorted(trial.turns, key=lambda turn: turn.start)
    back = [two.start for one, two in itertools.pairwise(turns) if two.start - one.end > TOGETHER]
    seconds = [one.end for one in at_once(everyone)]
    last = max([0.0, *back, *happened, *(seconds if len(seconds) < 9 else [])])
    heard = max((turn.end for turn in everyone), default=math.inf)
    end = last + max(1.0, last / 4)
    if trial.outage is not None:
        end = max(min(end, heard), last + 0.2)
    first = min([0.0, *happened, *back])
    return min(first, -end / 5) - 0.05, end


def _spoken(trial: Trial) -> str:
    """What the picture shows, for who does not see it."""
    if not trial.turns:
        return "Nobody answered."
    said = [
        f"{turn.who} answered from {signed(turn.start)} to {signed(turn.end)}"
        for turn in sorted(trial.turns, key=lambda one: one.start)[:6]
    ]
    return f"{'; '.join(said)}{'; and so on' if len(trial.turns) > 6 else ''}."


def _both(trial: Trial) -> Iterable[str]:
    """A sentence for each group of nodes that answered at once."""
    times: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for one in at_once([*trial.turns, *trial.direct]):
        times.setdefault(one.nodes, []).append((one.start, one.end))
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
    found = next(one for one in itertools.chain([name], others) if one not in taken)
    taken.add(found)
    return found


def _pairs(own: _Group, other: _Group) -> list[_Pair]:
    """The faults of the first run, each with the same one of the second."""
    theirs = {one.trial.fault: one for one in other.trials}
    outages = [one.trial.outage for group in (own, other) for one in group.trials]
    longest = max((one for one in outages if one is not None), default=0.0)
    found = []
    for one in own.trials:
        match = theirs.get(one.trial.fault)
        bars = (_bar(one, longest), _bar(match, longest))
        found.append(_Pair(one, match, _share(one, match), bars))
    return found


def _share(own: _Shown, other: _Shown | None) -> float | None:
    if other is None or own.trial.outage is None or not other.trial.outage:
        return None
    return own.trial.outage / other.trial.outage


def _bar(shown: _Shown | None, longest: float) -> float:
    if shown is None or not longest:
        return 0.0
    return 100.0 if shown.trial.outage is None else round(100 * shown.trial.outage / longest, 1)


def _lasting(seconds: float) -> str:
    """A longer time, as one would say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _moment(began: str) -> str:
    found = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", began)
    return f"{found[1]} {found[2]} UTC" if found else began
