# SPDX-License-Identifier: Apache-2.0
"""Cleaning up happens once, and its own failure never replaces the error that led to it."""

from __future__ import annotations

import pytest

from hadeb.errors import HadebError
from hadeb.interrupt import clean_up_after, cleanup


def fail() -> None:
    raise ValueError("read of closed file")


def test_the_first_error_wins() -> None:
    with pytest.raises(HadebError) as error, cleanup(fail):
        raise HadebError("ha1 did not boot")
    assert error.value.message == "ha1 did not boot"
    assert error.value.__notes__ == ["cleaning up failed as well: read of closed file"]


def test_an_interrupt_stays_one() -> None:
    with pytest.raises(KeyboardInterrupt), cleanup(fail):
        raise KeyboardInterrupt


def test_a_failing_cleanup_after_success_is_an_error() -> None:
    with pytest.raises(ValueError, match="closed file"), cleanup(fail):
        pass


def test_the_action_runs_once_with_and_without_an_error() -> None:
    done: list[str] = []
    with cleanup(lambda: done.append("after success")):
        pass
    with pytest.raises(HadebError), cleanup(lambda: done.append("after an error")):
        raise HadebError("it broke")
    assert done == ["after success", "after an error"]


def test_an_error_keeps_its_place_when_it_is_cleaned_up_after() -> None:
    error = HadebError("first")
    clean_up_after(error, fail)
    clean_up_after(error, lambda: None)
    assert len(error.__notes__) == 1
