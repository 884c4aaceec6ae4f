# SPDX-License-Identifier: Apache-2.0
"""Scratch directories: hadeb removes those of killed commands and keeps those in use."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hadeb.files.scratch import scratch_directory, sweep
from support.command import ENVIRONMENT

_HOLDS = """
from hadeb.files.scratch import scratch_directory
with scratch_directory("held") as place:
    (place / "file").touch()
    print(place, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@contextmanager
def held(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start another process with its own directory; the process and the directory."""
    environment = {**ENVIRONMENT, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_the_directory_of_a_killed_command_goes_with_the_next_sweep(tmp_path: Path) -> None:
    with held(tmp_path) as (process, place):
        process.kill()
        process.wait()
        assert (place / "file").exists()
        sweep()
        assert not place.exists()


def test_the_directory_of_a_living_command_stays(tmp_path: Path) -> None:
    with held(tmp_path) as (_, place):
        sweep()
        with scratch_directory("apt"):
            pass
        sweep()
        assert (place / "file").exists()
