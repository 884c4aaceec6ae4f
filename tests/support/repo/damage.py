# SPDX-License-Identifier: Apache-2.0
"""Damage or age the files of a repository."""

from __future__ import annotations

import os
from pathlib import Path


def in_force(root: Path, suite: str = "staging") -> Path:
    return root / "dists" / suite


def cut(path: Path) -> None:
    """Take the second half of a file; by-hash names lead to a whole one still."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])


def wipe(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"")


def age(root: Path) -> None:
    """Let all be long ago, so that prune may take what is not in force."""
    for generation in root.glob("dists/.generations/*/*"):
        os.utime(generation, (1_700_000_000, 1_700_000_000))
