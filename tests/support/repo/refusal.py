# SPDX-License-Identifier: Apache-2.0
"""Assert that hadeb refused: a readable error, and clients see no change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.command import Outcome
from support.repo import inspection


@contextmanager
def unchanged(root: Path) -> Iterator[None]:
    """What clients can read is the same afterwards, byte for byte."""
    before = inspection.published(root)
    yield
    assert inspection.published(root) == before


def refused(done: Outcome, words: str, code: int = 1) -> None:
    """The command ended with a sentence for people."""
    assert done.code == code, done
    assert re.search(words, done.stderr), done.stderr
    assert done.stderr.startswith("error: ") or "\nerror: " in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert "bug: " not in done.stderr


def refused_with_hint(done: Outcome, words: str, code: int = 1) -> None:
    """The command ended with a sentence for people, and a hint."""
    refused(done, words, code)
    assert "hint: " in done.stderr
