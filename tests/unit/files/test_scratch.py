# SPDX-License-Identifier: Apache-2.0
"""Directories for a command's time: gone afterwards, and out of others' reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hadeb.files.scratch import scratch_directory, sweep


def test_a_directory_is_for_its_user_alone_and_gone_afterwards() -> None:
    with scratch_directory("apt") as place:
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "file").touch()
    assert not place.exists()


@pytest.mark.parametrize("way", ["open to others", "a link"])
def test_where_somebody_else_could_reach_in_the_directory_is_elsewhere(
    way: str, tmp_path: Path
) -> None:
    above, other = tmp_path / f"hadeb-{os.geteuid()}", tmp_path / "other"
    other.mkdir()
    (other / "theirs").mkdir()
    if way == "a link":
        above.symlink_to(other)
    else:
        other.rename(above)
        above.chmod(0o777)
    sweep()
    with scratch_directory("apt") as place:
        assert not place.resolve().is_relative_to(above.resolve())
        assert place.stat().st_mode & 0o777 == 0o700
    assert not place.exists()
    assert (above / "theirs").exists()


def test_what_is_no_directory_of_ours_stops_no_command(tmp_path: Path) -> None:
    with scratch_directory("apt") as place:
        pass
    (place.parent / "a-file").touch()
    sweep()
