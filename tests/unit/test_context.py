# SPDX-License-Identifier: Apache-2.0
"""What hadeb reads of its environment, and refuses there."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from hadeb.context import from_environment
from hadeb.errors import HadebError, UsageError


@pytest.mark.parametrize("epoch", ["-1", "1e9", "now", "8589934592", "1" * 5000])
def test_a_time_that_is_none_is_refused(epoch: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is"):
        from_environment({"SOURCE_DATE_EPOCH": epoch})


def test_a_deleted_directory_is_reported(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        with pytest.raises(HadebError, match="the current directory is gone"):
            from_environment({})


def test_a_user_without_a_home_can_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    # A user whom no passwd file knows.
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert from_environment({}).cache.is_absolute()
