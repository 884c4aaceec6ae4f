# SPDX-License-Identifier: Apache-2.0
"""Dates are written as Debian writes them, and read back."""

from __future__ import annotations

import datetime

import pytest

from hadeb.debian.dates import read_rfc5322, rfc5322, utc

BERLIN = datetime.timezone(datetime.timedelta(hours=1))


def test_a_date_without_a_time_is_midnight_utc() -> None:
    assert utc(datetime.date(2026, 1, 31)).isoformat() == "2026-01-31T00:00:00+00:00"
    assert utc(datetime.datetime(2026, 1, 31, 8)).isoformat() == "2026-01-31T08:00:00+00:00"
    own = datetime.datetime(2026, 1, 31, 8, tzinfo=BERLIN)
    assert utc(own) is own


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "Thu, 01 Jan 2026 00:00:00 +0000"),
        (
            datetime.datetime(2026, 12, 31, 23, 59, 58, tzinfo=BERLIN),
            "Thu, 31 Dec 2026 23:59:58 +0100",
        ),
        (datetime.datetime(999, 5, 6, tzinfo=datetime.UTC), "Mon, 06 May 0999 00:00:00 +0000"),
    ],
)
def test_a_time_is_written_in_english(time: datetime.datetime, text: str) -> None:
    assert rfc5322(time) == text


def test_a_written_time_is_read_back() -> None:
    time = datetime.datetime(2026, 7, 8, 9, 10, 11, tzinfo=datetime.UTC)
    assert read_rfc5322(f" {rfc5322(time)}\n") == time


@pytest.mark.parametrize("text", ["", "yesterday", "Wed, 08 Jul 2026 09:10:11", "Wed, 99 Jul 2026"])
def test_what_names_no_time_raises(text: str) -> None:
    with pytest.raises(ValueError):
        read_rfc5322(text)
