# SPDX-License-Identifier: Apache-2.0
"""Which values a manifest may hold; dpkg's opinion of them is asked in integration/manifest."""

from __future__ import annotations

import pytest

from hadeb.manifest.cluster import AnswerTable, ColocationTable, OperationTable, ResourceTable
from hadeb.manifest.model import PackageTable
from hadeb.manifest.reader import read
from hadeb.manifest.values import seconds


def refused(table: type, key: str, value: object) -> bool:
    """Whether hadeb has something against the value itself."""
    return not read(table, {key: value}).is_valid(key)


@pytest.mark.parametrize(
    "version", ["1", "0.0~", "1:2-3", "999999999:1", "1.0+dfsg-1ubuntu2~24.04.1", "1-2-3"]
)
def test_usual_versions_are_taken(version: str) -> None:
    assert not refused(PackageTable, "version", version)


@pytest.mark.parametrize(
    "version", ["", "a", "1_0", "1:", ":1", "1-", "1 0", "2147483648:1", "1:2:3", "1\n", "\u0661"]
)
def test_what_dpkg_takes_for_no_version_is_refused(version: str) -> None:
    assert refused(PackageTable, "version", version)


@pytest.mark.parametrize(
    ("table", "key", "taken", "not_taken"),
    [
        (
            OperationTable,
            "interval",
            ["10s", "2min", "1h", "10", "0", "3hr", "5sec", "4m"],
            ["", "s", "-1", "1.5s", "10 s", "500ms", "1d", "PT10S", "10s\n", "\u0661", "9" * 10],
        ),
        (
            ColocationTable,
            "score",
            ["INFINITY", "-INFINITY", "+INFINITY", "0", "-100", "+5"],
            ["", "inf", "infinity", "--5", "1.0", "+", "12345678", "5\n"],
        ),
        (
            ResourceTable,
            "name",
            ["TCP-SERVER", "_x", "a.b_c-1", "V"],
            ["", "1st", "-x", ".x", "a b", "a@b", "a:b", "ä", "x\n", "x" * 101],
        ),
        (
            ResourceTable,
            "agent",
            ["ocf:kamaboko:sample-resource", "systemd:a@b.service", "lsb:x", "service:x_y"],
            ["", "IPaddr2", "ocf:x", "ocf::x", "ocf:a:b:c", "systemd:", "stonith:x", "ocf:a:b c"],
        ),
        (
            AnswerTable,
            "address",
            ["172.16.0.50", "10.1.2.3", "169.254.1.1", "2001:db8::50", "fd00::1"],
            [
                *("", "ha1", "1.2.3", "1.2.3.256", "1.2.3.4/24", "fe80::1%eth0", "01.2.3.4"),
                *("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "fe80::1", "224.0.0.1"),
                *("ff02::1", "255.255.255.255", "www.example.org"),
            ],
        ),
        (
            AnswerTable,
            "expect",
            ["", r"This is (?P<node>\S+)!", "[[a]", "a|b"],
            ["(", "(?P<node>a)(?P<node>b)", "*", "a{99999999999}", "\\"],
        ),
    ],
)
def test_a_value_of_a_cluster_is_what_its_tools_take(
    table: type, key: str, taken: list[str], not_taken: list[str]
) -> None:
    assert [value for value in taken if refused(table, key, value)] == []
    assert [value for value in not_taken if not refused(table, key, value)] == []


@pytest.mark.parametrize("name", ["", "1", "no quorum", "a=b", "-x", "\n", "x\n", "#kind"])
def test_an_option_of_no_name_is_refused(name: str) -> None:
    reading = read(ResourceTable, {"name": "A", "agent": "lsb:x", "meta": {name: "x"}})
    assert [path for path, _ in reading.problems] == [("meta", name)]


def test_durations_are_compared_whatever_their_unit() -> None:
    made = [seconds(text) for text in ("60", "60s", "60sec", "1m", "1min", "2h", "2hr")]
    assert made == [60, 60, 60, 60, 60, 7200, 7200]
