# SPDX-License-Identifier: Apache-2.0
"""Waiting ends when the condition is true, or in time."""

from __future__ import annotations

from hadeb.lab.host.wait import wait_until


def test_a_condition_that_becomes_true_ends_the_wait() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), timeout=60, pause=0)


def test_a_condition_that_never_becomes_true_ends_with_the_timeout() -> None:
    assert not wait_until(lambda: False, timeout=0.01, pause=0.001)


def test_a_condition_is_tested_even_if_there_is_no_time_left() -> None:
    assert wait_until(lambda: True, timeout=-1, pause=0)
