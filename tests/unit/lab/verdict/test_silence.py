# SPDX-License-Identifier: Apache-2.0
"""A trial never passes in silence, and an earlier report never passes for a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeb.lab.client.answers import SERVICE, Answer
from hadeb.lab.fault.catalogue import FAULTS, Fault
from hadeb.lab.report.write import clear_reports
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.verdict import outage_of, shortfalls


def evidence(fault: Fault, *, after: str) -> Evidence:
    """A trial after which the service answered from ha1 and, where `after` says so, still does."""
    times = (-0.5, -0.1, 1.0, 1.1)
    return Evidence(
        fault=fault,
        service="TCP-SERVER",
        before="ha1",
        after=after,
        believed=after,
        returned=True,
        answers=[Answer(at, at, "", SERVICE, after or "ha1", "", None) for at in times],
        operations=(),
        blocked=(),
        budget=None,
        copies="one",
    )


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_service_that_answers_and_then_no_more_falls_short(fault: Fault) -> None:
    gone = evidence(fault, after="")
    assert shortfalls(gone) == ("the service answered, and then stopped answering",)
    assert outage_of(gone) is None


def test_a_service_that_goes_on_answering_passes() -> None:
    fault = next(fault for fault in FAULTS if fault.expected == "returns")
    there = evidence(fault, after="ha1")
    assert shortfalls(there) == ()
    assert outage_of(there) == pytest.approx(1.1)


def test_an_earlier_report_goes_and_the_users_own_files_stay(tmp_path: Path) -> None:
    ours = ("report.json", "report.xml", "report.html", "logs/standby-ha1.log")
    theirs = ("report.txt", "logs/mine.log", "logs/deep/standby-ha1.log", "notes")
    for name in (*ours, *theirs):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    clear_reports(tmp_path)
    assert not any((tmp_path / name).exists() for name in ours)
    assert all((tmp_path / name).exists() for name in theirs)


def test_a_directory_for_the_report_is_made_before_the_trials(tmp_path: Path) -> None:
    clear_reports(tmp_path / "new" / "report")
    assert (tmp_path / "new" / "report").is_dir()
