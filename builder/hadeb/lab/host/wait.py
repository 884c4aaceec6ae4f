# SPDX-License-Identifier: Apache-2.0
"""Waiting for something that gives no signal when it happens."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, timeout: float, pause: float) -> bool:
    """Whether a condition becomes true within `timeout` seconds.

    It is tested at least once, and then after every `pause` seconds. The caller decides what a
    timeout means.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
