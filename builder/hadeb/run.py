# SPDX-License-Identifier: Apache-2.0
"""The one place that starts processes.

`run` waits for a program and hands back what it said; `start` leaves it running; `become` is it.
Text is UTF-8 with surrogateescape, so bytes that are not text survive the way through a str.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from hadeb.debian.programs import package_of
from hadeb.errors import CommandFailed, HadebError, ToolMissing

# Seconds to read what a killed program has left in its pipes.
_LAST_WORDS = 2.0


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended; `returncode` is negative for a signal."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def stdout_bytes(self) -> bytes:
        """What the program wrote, byte by byte."""
        return self.stdout.encode("utf-8", "surrogateescape")


def run(
    argv: Sequence[str],
    *,
    input: str | bytes | None = None,
    timeout: float | None = 60.0,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
) -> Completed:
    """Run a program to its end; `env` replaces the environment, `timeout` is in seconds.

    Raises CommandFailed where it ran out of time or, with `check`, ended with anything but 0;
    ToolMissing where there is no such program.
    """
    data = _encoded(input) if isinstance(input, str) else input
    # A group of its own, so that a program out of time goes together with its children.
    process = start(
        argv,
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=cwd,
    )
    try:
        out, err = process.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        out, err = _end(process)
        raise CommandFailed(argv, None, stdout=_decoded(out), stderr=_decoded(err)) from None
    except BaseException:
        _end(process)
        raise
    done = Completed(tuple(argv), process.returncode, _decoded(out), _decoded(err))
    if check and done.returncode != 0:
        raise CommandFailed(argv, done.returncode, stdout=done.stdout, stderr=done.stderr)
    return done


def start(
    argv: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, and return while it runs.

    Who starts it ends it. A Ctrl-C on the terminal reaches hadeb alone, which then ends its
    children in order.
    """
    try:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            cwd=cwd,
            pass_fds=pass_fds,
            process_group=0,
        )
    except FileNotFoundError as error:
        _explain(argv, cwd, error)


def become(argv: Sequence[str]) -> NoReturn:
    """Be another program from here on: it has the terminal, and its end is ours."""
    try:
        os.execvp(argv[0], list(argv))
    except FileNotFoundError as error:
        _explain(argv, None, error)


def _explain(argv: Sequence[str], cwd: str | Path | None, error: FileNotFoundError) -> NoReturn:
    if cwd is not None and not Path(cwd).is_dir():
        raise HadebError(f"{cwd}: no such directory to run {argv[0]} in") from error
    program = Path(argv[0]).name
    hint = f"sudo apt-get install {package_of(program)}"
    raise ToolMissing(f"{program} is not here", hint=hint) from error


def _end(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        return process.communicate(timeout=_LAST_WORDS)
    except subprocess.TimeoutExpired as late:
        # A child that left the group lives, and holds a pipe open for as long as it likes.
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()
        return late.output or b"", late.stderr or b""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "surrogateescape")


def anew_in_utf8() -> None:
    """Begin this very call anew in Python's UTF-8 mode (PEP 540), unless somebody decided on it."""
    if "utf8" not in sys._xoptions:  # noqa: SLF001 - documented, and there is no other way to ask
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
