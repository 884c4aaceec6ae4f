# SPDX-License-Identifier: Apache-2.0
"""The one module that starts processes.

`run` waits for a program and returns its output; `start` leaves it running; `become` replaces this
process. Text is UTF-8 with surrogateescape, so bytes that are not text survive in a str.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

from hadeb.debian.programs import package_of
from hadeb.errors import CommandFailed, HadebError, ToolMissing, of_system
from hadeb.interrupt import clean_up_after, deferred
from hadeb.reason import reason

# Seconds to read what a killed program left in its pipes.
_DRAIN = 2.0


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended; `returncode` is negative for a signal."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def stdout_bytes(self) -> bytes:
        """The output as the program wrote it."""
        return self.stdout.encode("utf-8", "surrogateescape")

    @property
    def reason(self) -> str:
        """What it printed about its failure: one line, or several; empty if nothing."""
        return reason(self.stdout, self.stderr)


def run(
    argv: Sequence[str],
    *,
    input: str | bytes | None = None,
    timeout: float | None = 60.0,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    shown: str = "",
) -> Completed:
    """Run a program to its end. `env` replaces the environment, `timeout` is in seconds.

    `shown` is the command as the user knows it, for errors.

    Raises CommandFailed if the program runs out of time or, with `check`, if it ends with anything
    but 0; ToolMissing if there is no such program.
    """
    data = _encoded(input) if isinstance(input, str) else input
    process: subprocess.Popen[bytes] | None = None
    try:
        # An interrupt between the fork and this name would leave a process that nobody ends.
        with deferred():
            # It has its own process group, so that a timeout ends its children as well.
            process = start(
                argv,
                stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                cwd=cwd,
            )
        out, err = process.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        assert process
        out, err = _end(process)
        raise CommandFailed(
            argv, None, stdout=_decoded(out), stderr=_decoded(err), shown=shown
        ) from None
    except BaseException as error:
        if process:
            clean_up_after(error, partial(_end, process))
        raise
    done = Completed(tuple(argv), process.returncode, _decoded(out), _decoded(err))
    if check and done.returncode != 0:
        raise CommandFailed(
            argv, done.returncode, stdout=done.stdout, stderr=done.stderr, shown=shown
        )
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
    """Start a program in its own process group, and return while it runs.

    The caller has to end it. A Ctrl-C on the terminal reaches only hadeb, which then ends its
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
    except OSError as error:
        _explain(argv, cwd, error)


def become(argv: Sequence[str]) -> NoReturn:
    """Replace this process by another program (execvp(3)), which gets the terminal."""
    try:
        os.execvp(argv[0], list(argv))
    except OSError as error:
        _explain(argv, None, error)


def _explain(argv: Sequence[str], cwd: str | Path | None, error: OSError) -> NoReturn:
    if not isinstance(error, FileNotFoundError):
        failure = of_system(error)
        raise HadebError(f"cannot start {argv[0]}: {error.strerror}", hint=failure.hint) from error
    if cwd is not None and not Path(cwd).is_dir():
        raise HadebError(f"{cwd}: no such directory to run {argv[0]} in") from error
    program = Path(argv[0]).name
    hint = f"sudo apt-get install {package_of(program)}"
    raise ToolMissing(f"{program} is not installed", hint=hint) from error


def _end(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        return process.communicate(timeout=_DRAIN)
    except subprocess.TimeoutExpired as late:
        # A child that left the group is still alive and holds a pipe open.
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()
        return late.output or b"", late.stderr or b""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "surrogateescape")


def restart_in_utf8() -> None:
    """Restart this command in Python's UTF-8 mode (PEP 540), unless -X utf8 is already set."""
    if "utf8" not in sys._xoptions:  # noqa: SLF001 - documented, and there is no other way to ask
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
