# SPDX-License-Identifier: Apache-2.0
"""Relations are read as dpkg reads them, and written as Debian Policy 7.1 has them."""

from __future__ import annotations

import re

import pytest

from hadeb.debian.relations import (
    ALTERNATIVES_PATTERN,
    PROVISION_PATTERN,
    SINGLE_PATTERN,
    Relation,
    parse_alternatives,
    parse_field,
    parse_relation,
)


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("python3", Relation("python3")),
        (" libc6 (>= 2.36) ", Relation("libc6", ">=", "2.36")),
        ("a(<<1:2~rc1-3)", Relation("a", "<<", "1:2~rc1-3")),
        ("a ( = 1 )", Relation("a", "=", "1")),
        ("python3:any (>> 3.9)", Relation("python3", ">>", "3.9")),
        ("a (< 2)", Relation("a", "<=", "2")),
        ("a (> 2)", Relation("a", ">=", "2")),
        ("gcc [amd64] <!nocheck>", Relation("gcc")),
        ("a\n (= 1)", Relation("a", "=", "1")),
        ("", None),
        ("  ", None),
        ("${misc:Depends}", None),
        ("(= 1)", None),
    ],
)
def test_one_relation_is_parsed(text: str, relation: Relation | None) -> None:
    assert parse_relation(text) == relation


def test_alternatives_keep_their_order_and_leave_out_what_is_no_relation() -> None:
    assert parse_alternatives("a | b (>= 2) |") == [Relation("a"), Relation("b", ">=", "2")]
    assert parse_alternatives("a") == [Relation("a")]
    assert parse_alternatives("") == []


def test_a_field_is_split_at_its_commas_and_empty_relations_are_left_out() -> None:
    assert list(parse_field("a, b | c (= 1),\n d,, ")) == [
        [Relation("a")],
        [Relation("b"), Relation("c", "=", "1")],
        [Relation("d")],
    ]
    assert list(parse_field("")) == []


@pytest.mark.parametrize(
    ("relation", "admitted", "refused"),
    [
        ("a", ("0", "1:9"), ()),
        ("a (<< 2)", ("1", "2~rc1"), ("2", "2.0", "1:1")),
        ("a (<= 2)", ("1", "2"), ("2+", "1:1")),
        ("a (= 1.0)", ("1.0", "1.00", "0:1.0"), ("1", "1.0-1")),
        ("a (>= 1:2)", ("1:2", "2:0"), ("3",)),
        ("a (>> 2)", ("2-1", "3"), ("2", "2~")),
    ],
)
def test_a_bound_admits_versions_in_dpkgs_order(
    relation: str, admitted: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    parsed = parse_relation(relation)
    assert parsed
    assert all(parsed.admits(version) for version in admitted)
    assert not any(parsed.admits(version) for version in refused)


@pytest.mark.parametrize("text", ["python3", "libc6 (>= 2.36)", "a (<< 1:2~rc1-3)", "a (= 1--2)"])
def test_a_relation_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_relation(text)) == text


@pytest.mark.parametrize(
    ("text", "alternatives", "single", "provision"),
    [
        ("ab", True, True, True),
        ("ab:any (= 1.2)", True, True, True),
        ("ab(=1.2)", True, True, True),
        ("ab (>= 1.2-3~bpo12+1)", True, True, False),
        ("ab (= 1--2)", True, True, True),
        ("ab | cd (<< 2)", True, False, False),
        ("ab (< 2)", False, False, False),
        ("ab (= 1-)", False, False, False),
        ("a", False, False, False),
        ("Ab", False, False, False),
        ("ab, cd", False, False, False),
        ("ab |", False, False, False),
        ("", False, False, False),
    ],
)
def test_the_patterns_admit_what_a_manifest_may_write(
    text: str, alternatives: bool, single: bool, provision: bool
) -> None:
    assert bool(re.fullmatch(ALTERNATIVES_PATTERN, text)) is alternatives
    assert bool(re.fullmatch(SINGLE_PATTERN, text)) is single
    assert bool(re.fullmatch(PROVISION_PATTERN, text)) is provision
