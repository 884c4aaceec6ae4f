# SPDX-License-Identifier: Apache-2.0
"""The same for several things at a time, where each waits for a program or for the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_MOST = 8
T = TypeVar("T")
R = TypeVar("R")


def at_once(action: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Do it for all, and give what each gave, in their order.

    Raises what the first of them that failed raised, once all that had begun have ended; what
    had not begun then never does.
    """
    several = list(things)
    if len(several) <= 1:
        return [action(one) for one in several]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_MOST) as pool:
        return list(pool.map(action, several))
