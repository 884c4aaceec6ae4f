# SPDX-License-Identifier: Apache-2.0
"""Paragraphs of fields: control files, indexes, dpkg's status, apt's .sources (deb822(5)). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BETWEEN = re.compile(r"\n(?:[ \t]*\n)+")
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"


def paragraphs(text: str) -> Iterator[str]:
    """The text of each paragraph, without comments."""
    if "#" in text:
        text = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    return (part.strip("\n") for part in _BETWEEN.split(text) if part.strip())


def fields(paragraph: str) -> dict[str, str]:
    """The fields of a paragraph, by name in lower case.

    The lines of a value are joined by newlines, each without the blanks around it. A line with
    nothing but a dot is an empty one.
    """
    values: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1] in " \t":
            if name:
                text = line.strip()
                values[name] += "\n" if text == "." else f"\n{text}"
        else:
            name, colon, value = line.partition(":")
            name = name.strip().lower() if colon else ""
            if name:
                values[name] = value.strip()
    return values


def field(paragraph: str, name: str) -> str:
    """The value of one field on one line, empty if there is none; faster than all fields."""
    match = re.search(rf"^{name}:(.*(?:\n[ \t].*)*)", paragraph, re.MULTILINE | re.IGNORECASE)
    return " ".join(match.group(1).split()) if match else ""


def without_signature(text: str) -> str:
    """The first paragraph of a .dsc or .changes, with or without OpenPGP armor around it.

    The signature is not verified.
    """
    first, second, *_ = (*_BETWEEN.split(text.strip(), maxsplit=2), "", "")
    return second if second and first.startswith(_SIGNED) else first


def paragraph(values: Iterable[tuple[str, str]]) -> str:
    """The text of a paragraph; each value has its continuation lines indented already."""
    return "".join(f"{name}: {value}\n" for name, value in values)
