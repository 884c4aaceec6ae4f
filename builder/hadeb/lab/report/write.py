# SPDX-License-Identifier: Apache-2.0
"""Writes a report to disk in each of its formats."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from hadeb.errors import HadebError, of_system
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
    """Write report.json, report.xml and report.html, each atomically; returns the page's path.

    Raises HadebError if one cannot be written, with those that were.
    """
    texts = (
        json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n",
        junit(report),
        page(report),
    )
    written: list[str] = []
    for name, text in zip(_FORMATS, texts, strict=True):
        half = directory / f".{name}.part"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            half.write_text(text, encoding="utf-8", errors="backslashreplace")
            half.rename(directory / name)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            failure = of_system(error, directory / name)
            saved = ", ".join(str(directory / file) for file in written) or "nothing of the report"
            raise HadebError(f"{failure.message}; {saved} was saved", hint=failure.hint) from error
        written.append(name)
    return directory / "report.html"
