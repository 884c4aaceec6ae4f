# SPDX-License-Identifier: Apache-2.0
"""Call hadeb as users do: in a separate process, or faster, in this one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from hadeb.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
HADEB = (sys.executable, "-m", "hadeb")

# The surroundings of a call: nothing of the tester's own environment decides what is built.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": str(ROOT / "builder"),
    "PYTHONDONTWRITEBYTECODE": "1",
    # `make coverage` counts the lines of these processes.
    **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, and its output."""

    code: int
    stdout: str
    stderr: str


def run_hadeb(
    *arguments: str | Path,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = HADEB,
    timeout: float = 60,
) -> Outcome:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=directory,
        env={**ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(
        done.returncode,
        done.stdout.decode("utf-8", "surrogateescape"),
        done.stderr.decode("utf-8", "surrogateescape"),
    )


def call_hadeb(
    *arguments: str | Path, directory: Path, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Call the command's main function in this process: the same code, without Python's start."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    code: object = None
    surroundings = {**ENVIRONMENT, **(environment or {})}
    with (
        contextlib.chdir(directory),
        mock.patch.dict(os.environ, surroundings, clear=True),
        mock.patch.object(sys, "argv", ["hadeb", *map(str, arguments)]),
        # Which directory is for temporary files follows from the environment: see it again.
        mock.patch.object(tempfile, "tempdir", None),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Outcome(code, _said(stdout), _said(stderr))


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "surrogateescape")
