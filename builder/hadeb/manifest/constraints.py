# SPDX-License-Identifier: Apache-2.0
"""Constraints on a value beside its type, for the annotations of the model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Text:
    """Text for which `refusal` gives no sentence. `schema` is the same rule in JSON schema."""

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
    """One line that fully matches a pattern; `sentence` follows a value that does not."""
    compiled = re.compile(pattern)

    def refusal(value: str) -> str | None:
        # A pattern may admit a control character; no line does.
        if compiled.fullmatch(value) and not CONTROL_CHARACTER.search(value):
            return None
        return f"{value!r} {sentence}"

    return Text(refusal, {"pattern": f"^(?:{pattern})$"})


def one_of(what: str, allowed: Sequence[str]) -> Text:
    """One of a few words; `what` names their kind."""

    def refusal(value: str) -> str | None:
        if value in allowed:
            return None
        return f"{value!r} is not {what}; known are {', '.join(allowed)}"

    return Text(refusal, {"enum": list(allowed)})
