# SPDX-License-Identifier: Apache-2.0
"""Text from logs, agents and manifests, made fit for terminals, XML and pages. Pure."""

from __future__ import annotations

import unicodedata


def escape(text: str, *, lines: bool = False) -> str:
    """A text with every character that is not printable written as Python escapes it.

    Such are control characters, lone surrogates, and characters that change the direction of the
    text around them. With `lines`, newlines stay.
    """
    return "".join(c if c.isprintable() or (lines and c == "\n") else repr(c)[1:-1] for c in text)


def columns(text: str) -> int:
    """How many columns a text takes in a terminal."""
    return sum(_columns(c) for c in text)


def cut(text: str, width: int) -> str:
    """A text in at most `width` columns; an ellipsis replaces what does not fit."""
    if columns(text) <= width:
        return text
    shown = ""
    for c in text:
        if columns(shown) + _columns(c) > width - 1:
            break
        shown += c
    return f"{shown}…"


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` columns, broken at blanks or, in a long word, anywhere."""
    lines = [""]
    for word in text.split():
        if lines[-1] and columns(lines[-1]) + 1 + columns(word) <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for c in word:
            if columns(lines[-1]) + _columns(c) > width:
                lines.append("")
            lines[-1] += c
    return [line for line in lines if line]


def _columns(c: str) -> int:
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in {"F", "W"} else 1
