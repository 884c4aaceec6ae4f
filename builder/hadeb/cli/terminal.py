# SPDX-License-Identifier: Apache-2.0
"""How hadeb speaks: results to stdout, all else to stderr, color only where it is read by eye."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from hadeb.errors import HadebError, ManifestError

_RED, _YELLOW, _PLAIN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"


def result(text: str) -> None:
    """Print a result to stdout. A file name that is no UTF-8 goes out as it came in."""
    if sys.stdout is None:
        raise HadebError("standard output is closed, and the result has no other place")
    sys.stdout.buffer.write(os.fsencode(text) + b"\n")
    sys.stdout.flush()


def result_json(value: object) -> None:
    """Print a result as JSON to stdout."""
    result(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def note(text: str, label: str = "") -> None:
    """Print something that is not a result to stderr; a label such as `hint` goes before it."""
    if sys.stderr is None:
        return
    try:
        print(f"{_painted(label)}: {_safe(text)}" if label else _safe(text), file=sys.stderr)
    except OSError:
        # Nobody can be told; the exit code still says how it ended.
        pass


def is_answered() -> bool:
    """Whether somebody is there who can be asked."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def finish() -> None:
    """Drop what nobody takes: else Python tries again at exit, and ends with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def error(failure: HadebError) -> None:
    """Print an error, and its hint below it."""
    if isinstance(failure, ManifestError):
        for fault in failure.faults:
            note(str(fault))
        files = {fault.file for fault in failure.faults}
        count, noun = len(failure.faults), "fault" if len(failure.faults) == 1 else "faults"
        where = next(iter(files)) if len(files) == 1 else f"{len(files)} files"
        note(f"{count} {noun} in {where}; nothing was written", "error")
    else:
        note(failure.message, "error")
    if failure.hint:
        note(failure.hint, "hint")


def bug(failure: BaseException) -> None:
    """Say that hadeb itself is wrong, where, and how to report it."""
    place = ""
    trace = failure.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    note(f"{type(failure).__name__} at {place}: {failure}", "bug")
    remedy = "run the same command with --debug and report what it prints, with your bundle.toml"
    note(f"this is an error in hadeb, not in your bundle; {remedy}", "hint")


def _painted(label: str) -> str:
    color = _YELLOW if label == "hint" else _RED
    return f"{color}{label}{_PLAIN}" if _colored(os.environ, sys.stderr) else label


def _colored(environment: Mapping[str, str], stream: TextIO) -> bool:
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or stream.isatty()


def _safe(text: str) -> str:
    """Text that a terminal can show whatever a file or a manifest holds."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")
