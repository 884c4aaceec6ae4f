# SPDX-License-Identifier: Apache-2.0
"""Dates as a changelog and a Release file write them (RFC 5322). Pure."""

from __future__ import annotations

import datetime
import email.utils


def utc(date: datetime.date) -> datetime.datetime:
    """A date or a time as a time with a zone; without a zone it is UTC, without a time midnight."""
    if not isinstance(date, datetime.datetime):
        date = datetime.datetime.combine(date, datetime.time())
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


def rfc5322(time: datetime.datetime) -> str:
    """`Wed, 01 Jan 2025 12:00:00 +0000` in any locale; `time` has a zone (deb-changelog(5))."""
    return email.utils.format_datetime(time)


def read_rfc5322(text: str) -> datetime.datetime:
    """The time that such a text names; ValueError if it names none or has no zone."""
    time = email.utils.parsedate_to_datetime(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time
