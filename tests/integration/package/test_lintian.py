# SPDX-License-Identifier: Apache-2.0
"""lintian on the sample: no error, no warning, and no override without a use and a reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def tags(sample_deb: Path) -> list[str]:
    """Every line that lintian says, hints of all levels and overridden ones included."""
    levels = ("--pedantic", "--display-info", "--display-experimental", "--show-overrides")
    done = subprocess.run(
        ["lintian", "--allow-root", *levels, "--fail-on=none", "--color=never", sample_deb],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_lintian_finds_no_error_and_no_warning(tags: list[str]) -> None:
    assert not [line for line in tags if line.startswith(("E:", "W:"))]


def test_every_override_is_used(tags: list[str]) -> None:
    assert not [line for line in tags if "unused-override" in line or "mismatched-override" in line]
    assert [line for line in tags if line.startswith("O:")], "lintian saw no override at all"


def test_every_override_says_why(sample_deb: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--extract", sample_deb, tmp_path], check=True)
    (file,) = (tmp_path / "usr/share/lintian/overrides").iterdir()
    lines = file.read_text("utf-8").splitlines()
    overrides = [index for index, line in enumerate(lines) if line and not line.startswith("#")]
    assert overrides
    for index in overrides:
        assert index > 0, lines[index]
        assert lines[index - 1].startswith("# "), lines[index]
        assert len(lines[index - 1].split()) > 5, "a reason is a sentence"
