# SPDX-License-Identifier: Apache-2.0
"""Text from logs, agents and manifests, as any reader can show it. Pure."""

from __future__ import annotations

import unicodedata


def legible(text: str, *, lines: bool = False) -> str:
    """What a terminal, XML and a page can hold: the rest is written as Python's escapes.

    That is control characters, lone surrogates, and what turns the direction of other people's
    text around. Newlines stay where there may be `lines`.
    """
    return "".join(c if c.isprintable() or (lines and c == "\n") else repr(c)[1:-1] for c in text)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_columns(c) for c in text)


def cut(text: str, width: int) -> str:
    """A text in at most so many columns; an ellipsis stands for what is left out."""
    if columns(text) <= width:
        return text
    shown = ""
    for c in text:
        if columns(shown) + _columns(c) > width - 1:
            break
        shown += c
    return f"{shown}…"


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most so many columns, broken at blanks or, in a long word, anywhere."""
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
