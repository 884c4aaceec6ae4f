# SPDX-License-Identifier: Apache-2.0
"""Package versions: their syntax, and the order in which dpkg sorts them (deb-version(7)). Pure.

`[EPOCH:]UPSTREAM[-REVISION]`. As in dpkg, the last hyphen begins the revision, so the upstream part
may contain hyphens, even two in a row; a revision is never empty.
"""

from __future__ import annotations

import functools
import re

# dpkg keeps an epoch in a C int: nine digits always fit.
VERSION_PATTERN = "(?:[0-9]{1,9}:)?[0-9](?:[A-Za-z0-9.+~-]*[A-Za-z0-9.+~])?"
VERSION = re.compile(VERSION_PATTERN)

# The end of a run of letters sorts before every letter, and ~ sorts before the end.
_END, _TILDE = 0, -1
_PART = re.compile(r"([^0-9]*)([0-9]*)")

Part = tuple[tuple[tuple[int, ...], int], ...]
Key = tuple[int, Part, Part]


@functools.cache
def version_key(version: str) -> Key:
    """A key that sorts versions as `dpkg --compare-versions` does."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch) if epoch.isdigit() else 0, _parts(upstream), _parts(revision)


def without_epoch(version: str) -> str:
    """A version as the names of files have it (deb-version(7))."""
    return version.rpartition(":")[2]


def _parts(text: str) -> Part:
    parts = [
        ((*(_rank(letter) for letter in letters), _END), int(digits or 0))
        # A version without a revision compares like one whose revision is 0.
        for letters, digits in _PART.findall(text or "0")
        if letters or digits
    ]
    # A version that ends here compares like one that goes on without letters and with the number 0.
    return (*parts, ((_END,), 0))


def _rank(letter: str) -> int:
    if letter == "~":
        return _TILDE
    return ord(letter) if letter.isalpha() else ord(letter) + 256
