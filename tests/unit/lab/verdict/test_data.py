# SPDX-License-Identifier: Apache-2.0
"""A lost value is reported in a sentence, once."""

from __future__ import annotations

import pytest

from hadeb.lab.client.stored import Reading
from hadeb.lab.verdict.data import DataEvidence, data_shortfalls

GONE = "the value written 1.0 s before the fault, acknowledged, is gone after it: the read answers"


def read(outcome: str, *, of: str = "", restored: bool = False, text: str = "$-1") -> Reading:
    return Reading(-1.04, 3.0, outcome, of, text, restored)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((), []),
        ((read("kept"), read("kept", restored=True)), []),
        ((read("gone"), read("gone", restored=True)), [f"{GONE} '$-1'"]),
        (
            (read("gone"), read("kept", restored=True)),
            [
                f"{GONE} '$-1'",
                "the value came back once the fault was undone: it stayed on its node",
            ],
        ),
        (
            (read("kept"), read("gone", restored=True)),
            [
                "the value written 1.0 s before the fault, acknowledged, is gone once the fault "
                "was undone: the read answers '$-1'"
            ],
        ),
        (
            (read("older", of="standby"),),
            [
                "the value written 1.0 s before the fault, acknowledged, is lost after it: an "
                "older one came back, written before standby"
            ],
        ),
        (
            (read("unread", text="Connection\n refused"),),
            [
                "the value written 1.0 s before the fault cannot be read after it: "
                "'Connection refused'"
            ],
        ),
    ],
)
def test_a_loss_is_a_sentence(readings: tuple[Reading, ...], expected: list[str]) -> None:
    assert list(data_shortfalls(DataEvidence(readings=readings))) == expected


def test_why_nothing_is_known_is_a_shortfall() -> None:
    assert list(data_shortfalls(DataEvidence("no write was acknowledged"))) == [
        "no write was acknowledged"
    ]
