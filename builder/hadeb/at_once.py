# SPDX-License-Identifier: Apache-2.0
"""The same for several things at a time, where each waits for a program or for the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_MOST = 8
T = TypeVar("T")


def at_once(action: Callable[[T], object], things: Iterable[T]) -> None:
    """Do it for all, and raise what the first of them that failed raised once all have ended."""
    with ThreadPoolExecutor(_MOST) as pool:
        for _ in pool.map(action, things):
            pass
