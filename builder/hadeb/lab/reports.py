# SPDX-License-Identifier: Apache-2.0
"""Writes a report to disk in each of its forms."""

from __future__ import annotations

import json
from pathlib import Path

from hadeb.lab.report_json import report_json
from hadeb.lab.report_junit import junit
from hadeb.lab.report_page import page
from hadeb.lab.result import Report


def write_reports(report: Report, directory: Path) -> Path:
    """Write report.json, report.xml and report.html, each whole; returns the page's path."""
    directory.mkdir(parents=True, exist_ok=True)
    written = {
        "report.json": json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n",
        "report.xml": junit(report),
        "report.html": page(report),
    }
    for name, text in written.items():
        half = directory / f".{name}.part"
        half.write_text(text, encoding="utf-8", errors="backslashreplace")
        half.rename(directory / name)
    return directory / "report.html"
