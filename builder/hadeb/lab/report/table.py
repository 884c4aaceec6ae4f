# SPDX-License-Identifier: Apache-2.0
"""A report as a table for a terminal of 80 columns, without color. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hadeb.lab.report.text import columns, cut, escape, wrapped
from hadeb.lab.report.timeline import signed
from hadeb.lab.verdict.result import Report, Run, Trial, failures_first, totals

_WIDE = 80
_FAULT, _NUMBER, _NODES = 28, 8, 25
_INDENT = " " * 6


def table(report: Report) -> str:
    """A row for each trial, failures and their reasons first, and the totals in the last line."""
    several = len(report.runs) > 1
    lines: list[str] = []
    for run in report.runs:
        if several:
            lines += [cut(escape(run.label), _WIDE)]
        lines += [_row("", "fault", "outage", "budget", "served"), *_rows(run)]
        if several:
            lines += [*wrapped(_sum(run), _WIDE), ""]
    for title, notes in (("data", report.data), ("in the lab", report.mapped)):
        for note in notes:
            lines += wrapped(f"{title}: {escape(note)}", _WIDE)
    lines += wrapped(_tried_with(report), _WIDE)
    lines += wrapped(f"{_verdict(report)}: {_sum(report.runs[0])}", _WIDE)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _rows(run: Run) -> Iterable[str]:
    for trial in failures_first(run):
        yield _row(
            "ok" if trial.passed else "FAIL",
            trial.fault,
            _seconds(trial.outage, "no end"),
            _seconds(trial.budget, "-"),
            _served(trial),
        )
        if not trial.passed:
            yield from reasons(trial)
    for left in run.left_out:
        yield _row("-", left.fault, "", "", "left out")
        yield from _item(f"- {left.reason}")


def reasons(trial: Trial) -> Iterable[str]:
    """Why a trial fell short, what to change, and where the evidence is, in lines."""
    for shortfall in trial.shortfalls:
        yield from _item(f"- {shortfall}")
    if trial.cause:
        yield from _item(f"- {trial.cause}")
    for remedy in trial.remedies:
        yield from _item(f"> {remedy}")
    for word in trial.words:
        yield from _item(f"{word.node} {signed(word.at)} {word.text}")
    if trial.logs:
        yield from _item(f"logs: {' '.join(trial.logs)}")


def _item(text: str) -> Iterable[str]:
    lines = escape(text, lines=True).split("\n")
    first, *rest = [piece for line in lines for piece in wrapped(line, _WIDE - 8)] or [""]
    yield f"{_INDENT}{first}"
    yield from (f"{_INDENT}  {line}" for line in rest)


def _row(mark: str, fault: str, outage: str, budget: str, served: str) -> str:
    numbers = "".join(f"{cut(number, _NUMBER):>{_NUMBER}}" for number in (outage, budget))
    return f"{mark:<4}  {_padded(fault, _FAULT)} {numbers}   {cut(escape(served), _NODES)}"


def _padded(text: str, width: int) -> str:
    shown = cut(escape(text), width)
    return shown + " " * (width - columns(shown))


def _served(trial: Trial) -> str:
    before, after = (
        # Half the room for each, so that a long first name does not cut off the second.
        cut(escape(node), _NODES // 2) if node else "nobody"
        for node in (trial.before, trial.after)
    )
    return f"{before}→{after}"


def _seconds(seconds: float | None, missing: str) -> str:
    return missing if seconds is None else f"{seconds:.2f}"


def _sum(run: Run) -> str:
    numbers = totals(run)
    if not numbers.trials:
        return "nothing was tried"
    worst, middle = (
        "without end" if seconds is None else f"{seconds:.2f} s"
        for seconds in (numbers.worst, numbers.median)
    )
    passed = f"{numbers.trials - numbers.failed} of {numbers.trials} passed"
    short = f", {numbers.failed} fell short" if numbers.failed else ""
    return f"{passed}{short}; worst outage {worst}, median {middle}{_data(run)}"


def _data(run: Run) -> str:
    """How many of the values that clients wrote came through; nothing if they wrote none."""
    written = [trial.readings for trial in run.trials if trial.readings]
    kept = sum(all(reading.outcome == "kept" for reading in readings) for readings in written)
    return f"; data: {kept} of {len(written)} values kept" if written else ""


def _tried_with(report: Report) -> str:
    late = max((totals(run).late for run in report.runs), default=0.0)
    programs = ", ".join(f"{each.name} {each.version}" for each in report.versions)
    sentence = f"tried with {programs}; " if programs else ""
    return escape(
        f"{sentence}the lab's own clients were at most {late:.2f} s late, which counts as no outage"
    )


def _verdict(report: Report) -> str:
    return escape(
        f"{'ok' if report.passed else 'FAIL'}: {report.package} {report.version} on {report.suite}"
    )
