# SPDX-License-Identifier: Apache-2.0
"""Writes a report to disk in each of its formats."""

from __future__ import annotations

import json
from pathlib import Path

from hadeb.lab.report.as_json import report_json
from hadeb.lab.report.junit import junit
from hadeb.lab.report.page import page
from hadeb.lab.verdict.result import Report

_FORMATS = ("report.json", "report.xml", "report.html")


def clear_reports(directory: Path) -> None:
    """Create the directory, and remove an earlier run's files, which are not this one's."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in _FORMATS:
        (directory / name).unlink(missing_ok=True)
    # The directory may contain other logs, which belong to the user.
    for log in directory.glob("logs*/*-ha[1-9].log"):
        log.unlink()


def write_reports(report: Report, directory: Path) -> Path:
    """Write report.json, report.xml and report.html, each atomically; returns the page's path."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = (
        json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n",
        junit(report),
        page(report),
    )
    for name, text in zip(_FORMATS, texts, strict=True):
        half = directory / f".{name}.part"
        half.write_text(text, encoding="utf-8", errors="backslashreplace")
        half.rename(directory / name)
    return directory / "report.html"
