# SPDX-License-Identifier: Apache-2.0
"""Debian versions in dpkg's order (deb-version(7)), as keys that Python can sort by."""

from __future__ import annotations

import functools
import re

# A digit's place in the order is behind every letter's end; ~ sorts before the end of a part.
_END, _TILDE = 0, -1
_PART = re.compile(r"([^0-9]*)([0-9]*)")

Key = tuple[int, tuple[tuple[tuple[int, ...], int], ...], tuple[tuple[tuple[int, ...], int], ...]]


@functools.cache
def version_key(version: str) -> Key:
    """A key that sorts as `dpkg --compare-versions` does."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch) if epoch.isdigit() else 0, _parts(upstream), _parts(revision)


def _parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    found = [
        ((*(_rank(letter) for letter in letters), _END), int(digits or 0))
        for letters, digits in _PART.findall(text)
        if letters or digits
    ]
    # What ends here compares like a part without letters and of the number 0.
    return (*found, ((_END,), 0))


def _rank(letter: str) -> int:
    if letter == "~":
        return _TILDE
    return ord(letter) if letter.isalpha() else ord(letter) + 256
