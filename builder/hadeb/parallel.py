# SPDX-License-Identifier: Apache-2.0
"""One action on several items at a time, for work that waits for a program or for the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_WORKERS = 8
T = TypeVar("T")
R = TypeVar("R")


def in_parallel(action: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Run the action on each item, and return the results in the order of the items.

    If any fail, raises the exception of the first in that order, after every action that had
    started has ended; actions that had not started by then never run.
    """
    several = list(items)
    if len(several) <= 1:
        return [action(item) for item in several]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(action, several))
