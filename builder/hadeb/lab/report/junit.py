# SPDX-License-Identifier: Apache-2.0
"""A report as JUnit XML, which continuous integration displays as tests. Pure.

Only the bundle's own run can fail a pipeline. If a trial of the run for comparison falls short, its
test is skipped: it concerns the other way to run the service, not the bundle.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from hadeb.lab.report.text import escape
from hadeb.lab.report.timeline import in_order, signed
from hadeb.lab.verdict.data import sentence
from hadeb.lab.verdict.result import Report, Run, Trial, failures_first, totals

_COMPARED = "fell short, but the bundle is only compared with it"


def junit(report: Report) -> str:
    """The XML, a testsuite for each run and a testcase for each trial."""
    root = ET.Element("testsuites", {"name": _attribute(f"{report.package} {report.version}")})
    for number, run in enumerate(report.runs):
        _suite(root, report, run, own=number == 0)
    _count(root, root.iter("testsuite"), report.seconds)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, report: Report, run: Run, *, own: bool) -> None:
    failed = totals(run).failed
    attributes = {
        "name": _attribute(run.label),
        "tests": str(len(run.trials) + len(run.left_out)),
        "failures": str(failed if own else 0),
        "errors": "0",
        "skipped": str(len(run.left_out) + (0 if own else failed)),
        "time": f"{sum(trial.seconds for trial in run.trials):.3f}",
    }
    # The format has no time zone; the report's is UTC.
    if began := re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", report.began):
        attributes["timestamp"] = began[0]
    suite = ET.SubElement(root, "testsuite", attributes)
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("version", report.version),
        ("suite", report.suite),
        ("nodes", " ".join(report.nodes)),
        *(("data", note) for note in report.data),
        *(("in the lab", note) for note in report.mapped),
        *((f"version of {each.name}", each.version) for each in report.versions),
        ("lateness of the lab's clients", f"{totals(run).late:.3f} s"),
    ):
        pair = {"name": _attribute(name), "value": _attribute(value)}
        ET.SubElement(properties, "property", pair)
    # Two runs try the same faults; a test's class name tells them apart.
    place = [report.package, report.suite, *([] if own else [run.label])]
    for trial in failures_first(run):
        _case(suite, ".".join(place), trial, own=own)
    for left in run.left_out:
        case = ET.SubElement(suite, "testcase", _named(".".join(place), left.fault) | {"time": "0"})
        ET.SubElement(case, "skipped", {"message": _attribute(f"left out: {left.reason}")})


def _case(suite: ET.Element, place: str, trial: Trial, *, own: bool) -> None:
    attributes = _named(place, trial.fault) | {"time": f"{trial.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", attributes)
    if not trial.passed:
        first = " ".join(escape(trial.shortfalls[0], lines=True).split())
        if own:
            failure = ET.SubElement(case, "failure", {"message": _attribute(first)})
            failure.set("type", "shortfall")
            failure.text = escape("\n".join(_reasons(trial)), lines=True)
        else:
            ET.SubElement(case, "skipped", {"message": _attribute(f"{_COMPARED}: {first}")})
    ET.SubElement(case, "system-out").text = escape("\n".join(_lines(trial)), lines=True)


def _named(place: str, fault: str) -> dict[str, str]:
    return {"classname": _attribute(place), "name": _attribute(fault)}


def _reasons(trial: Trial) -> Iterable[str]:
    yield from trial.shortfalls
    if trial.cause:
        yield trial.cause
    yield from (f"to change: {remedy}" for remedy in trial.remedies)
    yield from (f"{signed(word.at):>10}  {word.node}: {word.text}" for word in trial.words)
    yield from (f"log: {log}" for log in trial.logs)


def _lines(trial: Trial) -> Iterable[str]:
    yield f"did: {trial.did}"
    yield f"expected: {trial.expected}"
    yield f"before: {trial.before or 'nobody'}"
    yield f"after: {trial.after or 'nobody'}"
    outage = "did not end" if trial.outage is None else f"{trial.outage:.3f} s"
    budget = "" if trial.budget is None else f" of {trial.budget:g} s allowed"
    yield f"outage: {outage}{budget}"
    if trial.cause:
        yield f"cause: {trial.cause}"
    yield f"lateness of the lab's clients: {trial.late:.3f} s"
    yield f"refused connections: {trial.refused}"
    yield from (f"data: {sentence(reading)}" for reading in trial.readings)
    yield from (f"short: {shortfall}" for shortfall in trial.shortfalls)
    for event in in_order(trial.events):
        who = "lab" if event.kind == "fault" else event.node or "cluster"
        where = f" ({event.node})" if event.kind == "fault" and event.node else ""
        yield f"{signed(event.at):>10}  {who}{where}: {event.text}"
    yield from (f"log: {log}" for log in trial.logs)


def _count(root: ET.Element, suites: Iterable[ET.Element], seconds: float) -> None:
    counted = list(suites)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in counted)))
    root.set("time", f"{seconds:.3f}")


def _attribute(text: str) -> str:
    return escape(text)
