# SPDX-License-Identifier: Apache-2.0
"""What became of the value that a trial wrote before its fault, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.lab.client.stored import Reading

_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class DataEvidence:
    """What a trial's write and reads showed; `problem` is why nothing can be said about data."""

    problem: str = ""
    readings: tuple[Reading, ...] = ()


def sentence(reading: Reading) -> str:
    """What became of the value."""
    value = f"the value written {-reading.written:.1f} s before the fault"
    after = "once the fault was undone" if reading.restored else "after it"
    if reading.outcome == "kept":
        return f"{value} came back {after}"
    if reading.outcome == "unread":
        return f"{value} cannot be read {after}: {_quoted(reading.text)}"
    if reading.outcome == "older":
        return (
            f"{value}, acknowledged, is lost {after}: "
            f"an older one came back, written before {reading.of}"
        )
    return f"{value}, acknowledged, is gone {after}: the read answers {_quoted(reading.text)}"


def data_shortfalls(data: DataEvidence) -> Iterator[str]:
    """What fell short, a sentence each. A value that stays lost is told once."""
    if data.problem:
        yield data.problem
    before = "kept"
    for reading in data.readings:
        if reading.outcome not in {"kept", before}:
            yield sentence(reading)
        elif reading.outcome == "kept" and before in {"gone", "older"}:
            yield "the value came back once the fault was undone: it stayed on its node"
        before = reading.outcome


def _quoted(text: str) -> str:
    """The beginning of a text as one line."""
    return repr(" ".join(text.split())[:_LONGEST_QUOTE])
