# SPDX-License-Identifier: Apache-2.0
"""What a value may be beside its type: the constraints that stand in the model's annotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Text:
    """Text that `refusal` has nothing to say against; `schema` is the same rule in JSON schema."""

    refusal: Callable[[str], str | None]
    schema: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class AtLeastOne:
    """A list that must not be empty."""


def matching(pattern: str, sentence: str) -> Text:
    """One line of which all fits a pattern; `sentence` follows the value that does not."""
    compiled = re.compile(pattern)

    def refusal(value: str) -> str | None:
        # The patterns say what stands where; that it is one line holds for all of them.
        if compiled.fullmatch(value) and not CONTROL_CHARACTER.search(value):
            return None
        return f"{value!r} {sentence}"

    return Text(refusal, {"pattern": f"^(?:{pattern})$"})


def one_of(what: str, allowed: Sequence[str]) -> Text:
    """One of a few words, which are each `what`."""

    def refusal(value: str) -> str | None:
        if value in allowed:
            return None
        return f"{value!r} is not {what}; known are {', '.join(allowed)}"

    return Text(refusal, {"enum": list(allowed)})
