# SPDX-License-Identifier: Apache-2.0
"""What the answers to a write and to a read show."""

from __future__ import annotations

import re

import pytest

from hadeb.lab.client.answers import Answer
from hadeb.lab.client.store import http_request
from hadeb.lab.client.stored import is_acknowledged, outcome, value_of
from hadeb.manifest.cluster import AnswerTable

VALUE = value_of("standby", "0a1b2c3d")
OLDER = value_of("daemon-crash-loop", "ffffffff")
TCP = AnswerTable(address="10.0.0.9", port=1, write="{value}", write_expect=r"\A\+OK", read="?")
HTTP = AnswerTable(kind="http", address="10.0.0.9", port=1, write="PUT /k", read="GET /k")
COMMAND = AnswerTable(kind="command", address="10.0.0.9", command="x", write="{value}", read="r")


def heard(text: str = "", error: str | None = None) -> Answer:
    return Answer(0.0, 0.1, "", "service", None, text, error)


@pytest.mark.parametrize(
    ("table", "answer", "acknowledged"),
    [
        (TCP, heard("+OK\r\n"), True),
        # The server keeps the connection open.
        (TCP, heard("+OK\r\n", "no answer in time"), True),
        (TCP, heard("-READONLY You can't write against a replica.\r\n"), False),
        (TCP, heard("", "no answer in time"), False),
        (TCP, heard("+OK\r\n", "Connection reset by peer"), False),
        (HTTP, heard("HTTP/1.1 201 Created\r\n\r\n"), True),
        (HTTP, heard("HTTP/1.1 302 Found\r\n\r\n"), False),
        (HTTP, heard("HTTP/1.1 503 Busy\r\n\r\n", "HTTP 503"), False),
        (HTTP, heard("no HTTP"), False),
        (COMMAND, heard(""), True),
        (COMMAND, heard("OK", "ended with 1"), False),
    ],
)
def test_only_a_confirmed_write_counts(
    table: AnswerTable, answer: Answer, acknowledged: bool
) -> None:
    assert is_acknowledged(table, answer) is acknowledged


@pytest.mark.parametrize(
    ("table", "answer", "expected"),
    [
        (TCP, heard(f"$30\r\n{VALUE}\r\n"), ("kept", "")),
        (TCP, heard(f"$30\r\n{VALUE}\r\n", "no answer in time"), ("kept", "")),
        (TCP, heard("$-1\r\n", "no answer in time"), ("gone", "")),
        (TCP, heard(f"${OLDER}"), ("older", "daemon-crash-loop")),
        (TCP, heard(VALUE[:-1]), ("gone", "")),
        (TCP, heard("", "Connection refused"), ("unread", "")),
        (TCP, heard("", "no answer in time"), ("unread", "")),
        (HTTP, heard("HTTP/1.1 404 Not Found\r\n", "HTTP 404"), ("gone", "")),
        (HTTP, heard("HTTP/1.1 500 Oops\r\n", "HTTP 500"), ("unread", "")),
        (HTTP, heard(f"HTTP/1.1 200 OK\r\n\r\n{VALUE}"), ("kept", "")),
        (COMMAND, heard("(nil)"), ("gone", "")),
        (COMMAND, heard(VALUE, "ended with 2"), ("unread", "")),
    ],
)
def test_what_a_read_shows(table: AnswerTable, answer: Answer, expected: tuple[str, str]) -> None:
    assert outcome(table, answer, VALUE) == expected


def test_a_value_counts_only_where_it_is_expected() -> None:
    table = AnswerTable(address="10.0.0.9", read_expect="now={value};")
    assert outcome(table, heard(f"now={VALUE};"), VALUE) == ("kept", "")
    assert outcome(table, heard(f"before={VALUE}; now={OLDER};"), VALUE)[0] == "older"


def test_a_request_is_sent_as_http_wants_it() -> None:
    text = http_request("PUT /k?a\nX-Token: 1\n\n" + '{"v": "ü"}', "fd00::9")
    head, _, body = text.partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "PUT /k?a HTTP/1.0",
        "Host: [fd00::9]",
        "Connection: close",
        "Content-Length: 11",
        "X-Token: 1",
    ]
    assert body == '{"v": "ü"}'
    assert http_request("GET /k", "10.0.0.9").startswith("GET /k HTTP/1.0\r\nHost: 10.0.0.9\r\n")
    assert "Host: db\r\n" in http_request("GET /k\r\nHost: db", "10.0.0.9")
    assert re.findall("(?i)host:", http_request("GET /k\r\nhost: db", "10.0.0.9")) == ["host:"]
