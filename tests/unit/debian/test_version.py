# SPDX-License-Identifier: Apache-2.0
"""Versions are admitted and sorted as deb-version(7) says."""

from __future__ import annotations

import itertools

import pytest

from hadeb.debian.version import VERSION, version_key, without_epoch

# Each older than the next.
SORTED = (
    "0~~",
    "0~",
    "0",
    "1.0~rc1",
    "1.0",
    "1.0-1~bpo12+1",
    "1.0-1",
    "1.0-1+b1",
    "1.0a",
    "1.0+a",
    "1.0-1-1",
    "1.0.1",
    "1.1",
    "1.09",
    "1.10",
    "9",
    "10",
    "1:0.1",
    "2:0",
)
EQUAL = (("1.0", "0:1.0"), ("1.0", "1.00"), ("1.0-0", "1.0"), ("1", "01"))


def test_versions_are_sorted() -> None:
    for older, newer in itertools.combinations(SORTED, 2):
        assert version_key(older) < version_key(newer), (older, newer)


@pytest.mark.parametrize(("version", "other"), EQUAL)
def test_versions_that_differ_only_in_writing_are_equal(version: str, other: str) -> None:
    assert version_key(version) == version_key(other)


@pytest.mark.parametrize("version", [*SORTED, "1--2", "1.0+dfsg-1", "999999999:1", "2-a~"])
def test_a_version_that_dpkg_takes_is_admitted(version: str) -> None:
    assert VERSION.fullmatch(version)


@pytest.mark.parametrize(
    "version",
    ["", "a1", "1:", ":1", "-1", "1-", "1_2", "1 2", "1:2:3", "1\n", "1é", "1000000000:1"],
)
def test_a_version_outside_the_grammar_is_refused(version: str) -> None:
    assert not VERSION.fullmatch(version)


def test_the_name_of_a_file_has_no_epoch() -> None:
    assert without_epoch("1:2.0-1") == without_epoch("2.0-1") == "2.0-1"
