# SPDX-License-Identifier: Apache-2.0
"""Dates as a changelog and a Release file write them (RFC 5322). Pure."""

from __future__ import annotations

import datetime


def utc(date: datetime.date) -> datetime.datetime:
    """A date or a time as a time with a zone; without a zone it is UTC, without a time midnight."""
    if not isinstance(date, datetime.datetime):
        date = datetime.datetime.combine(date, datetime.time())
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


def rfc5322(time: datetime.datetime) -> str:
    """`Wed, 01 Jan 2025 12:00:00 +0000`; `time` has a zone (deb-changelog(5)).

    The names are English in any locale, because Python leaves LC_TIME alone.
    """
    return time.strftime(f"%a, %d %b {time.year:04} %H:%M:%S %z")


def read_rfc5322(text: str) -> datetime.datetime:
    """The time that such a text names; ValueError if it names none or has no zone."""
    return datetime.datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %z")
