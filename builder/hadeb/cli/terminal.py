# SPDX-License-Identifier: Apache-2.0
"""What hadeb prints: results to stdout, everything else to stderr, color only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from hadeb.errors import HadebError, ManifestError, of_system

_RED, _YELLOW, _PLAIN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"


def result(text: str) -> None:
    """Print a result to stdout. A file name that is not UTF-8 keeps its bytes."""
    if sys.stdout is None:
        raise HadebError("standard output is closed, so the result cannot be printed")
    try:
        sys.stdout.buffer.write(os.fsencode(text) + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise of_system(error, "standard output") from error


def result_json(value: object) -> None:
    """Print a result as JSON to stdout."""
    result(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def note(text: str, label: str = "") -> None:
    """Print a message to stderr, with a label such as `hint` before it."""
    if sys.stderr is None:
        return
    try:
        print(f"{_painted(label)}: {_safe(text)}" if label else _safe(text), file=sys.stderr)
    except OSError:
        # stderr is gone; the exit code still says how the command ended.
        pass


def is_interactive() -> bool:
    """Whether a person is there to answer a question."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def finish() -> None:
    """Flush, and drop what nobody reads: Python would retry at exit and fail with its own code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def error(failure: HadebError) -> None:
    """Print an error and its hint."""
    if isinstance(failure, ManifestError):
        for finding in failure.findings:
            note(str(finding))
        files = {finding.file for finding in failure.findings}
        count = len(failure.findings)
        noun = "finding" if count == 1 else "findings"
        where = next(iter(files)) if len(files) == 1 else f"{len(files)} files"
        note(f"{count} {noun} in {where}; nothing was written", "error")
    else:
        note(failure.message, "error")
    for also in getattr(failure, "__notes__", ()):
        note(also)
    if failure.hint:
        note(failure.hint, "hint")


def bug(failure: BaseException) -> None:
    """Report a bug in hadeb: where it is, and how to tell us."""
    place = ""
    trace = failure.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    note(f"{type(failure).__name__} at {place}: {failure}", "bug")
    remedy = "run the command again with --debug, and report its output with your bundle.toml"
    note(f"this is a bug in hadeb, not in your bundle; {remedy}", "hint")


def _painted(label: str) -> str:
    color = _YELLOW if label == "hint" else _RED
    return f"{color}{label}{_PLAIN}" if _colored(os.environ, sys.stderr) else label


def _colored(environment: Mapping[str, str], stream: TextIO) -> bool:
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or stream.isatty()


def _safe(text: str) -> str:
    """Text that a terminal can show, whatever a file or a manifest holds."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")
