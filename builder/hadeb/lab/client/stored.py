# SPDX-License-Identifier: Apache-2.0
"""A value that a client writes before a fault and reads after it: what the answers show. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hadeb.lab.client.answers import Answer
from hadeb.manifest.cluster import VALUE, AnswerTable

# kept: the value itself came back. older: one of an earlier trial did. gone: the service answered
# without a value. unread: it did not answer.
Outcome = Literal["kept", "older", "gone", "unread"]

_VALUE = re.compile(r"hadeb-([a-z][a-z-]*)-[0-9a-f]{8}")
_STATUS = re.compile(r"HTTP/\d\.\d (\d{3})")
# A service that says so has no such value; any other error says nothing about the value.
_NOT_THERE = {"HTTP 404", "HTTP 410"}
_LATE = "no answer in time"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read showed of the value that was written before the fault.

    `written` and `at` are seconds from the fault. `outcome` is kept, older (`of` names the trial
    that wrote the value which came back), gone, or unread. `text` is the answer or the error.
    `restored` says that the read came when the lab had undone the fault.
    """

    written: float
    at: float
    outcome: str
    of: str
    text: str
    restored: bool


def value_of(fault: str, token: str) -> str:
    """A value that no other trial writes; `token` has eight hexadecimal digits.

    It has only lower-case letters, digits and dashes, so that no syntax needs to quote it, and it
    names its trial, so that one that comes back late shows where it is from.
    """
    return f"hadeb-{fault}-{token}"


def expectation(expect: str, value: str) -> str:
    """The regular expression of a manifest for this value."""
    return expect.replace(VALUE, re.escape(value))


def is_acknowledged(table: AnswerTable, answer: Answer) -> bool:
    """Whether the service confirmed a write. Only then may nobody lose it."""
    if not is_answered(table, answer):
        return False
    if table.kind == "http" and not table.write_expect:
        status = _STATUS.match(answer.text)
        return bool(status and status[1].startswith("2"))
    return bool(re.search(table.write_expect, answer.text))


def is_answered(table: AnswerTable, answer: Answer) -> bool:
    """Whether the service answered at all; over TCP it may keep the connection open."""
    if table.kind == "tcp" and answer.error == _LATE:
        return bool(answer.text)
    return answer.error is None


def outcome(table: AnswerTable, answer: Answer, value: str) -> tuple[Outcome, str]:
    """What a read shows of a value, and the trial of an older value that came back instead."""
    if not is_answered(table, answer) and answer.error not in _NOT_THERE:
        return "unread", ""
    if re.search(expectation(table.read_expect, value), answer.text):
        return "kept", ""
    for other in _VALUE.finditer(answer.text):
        if other[0] != value:
            return "older", other[1]
    return "gone", ""
