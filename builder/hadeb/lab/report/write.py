# SPDX-License-Identifier: Apache-2.0
"""Writes a report to disk in each of its forms."""

from __future__ import annotations

import json
from pathlib import Path

from hadeb.lab.report.as_json import report_json
from hadeb.lab.report.junit import junit
from hadeb.lab.report.page import page
from hadeb.lab.verdict.result import Report

_FORMS = ("report.json", "report.xml", "report.html")


def clear_reports(directory: Path) -> None:
    """Make the directory, and remove what an earlier run left: it must not pass for this one's."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in _FORMS:
        (directory / name).unlink(missing_ok=True)
    # The directory may hold other logs, which are the user's.
    for log in directory.glob("logs*/*-ha[1-9].log"):
        log.unlink()


def write_reports(report: Report, directory: Path) -> Path:
    """Write report.json, report.xml and report.html, each whole; returns the page's path."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = (
        json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n",
        junit(report),
        page(report),
    )
    for name, text in zip(_FORMS, texts, strict=True):
        half = directory / f".{name}.part"
        half.write_text(text, encoding="utf-8", errors="backslashreplace")
        half.rename(directory / name)
    return directory / "report.html"
