# SPDX-License-Identifier: Apache-2.0
"""What the user is told about the exception that ended a command."""

from __future__ import annotations

from pathlib import Path
from traceback import walk_tb

from hadeb import interrupt
from hadeb.cli import terminal
from hadeb.errors import HadebError, of_system

_TOOLKIT = str(Path(__file__).parents[1])
# How many of hadeb's own functions are searched for the path that an error does not name.
_NEAR = 2


def report(failure: Exception) -> int:
    """Report it on stderr; the exit code."""
    failure = _first(failure)
    if isinstance(failure, BrokenPipeError):
        # The reader of our output has closed it; the exit code is all that is left.
        return 1
    if isinstance(failure, MemoryError):
        failure = HadebError("there is not enough memory")
    elif isinstance(failure, OSError) and failure.strerror:
        failure = of_system(failure, _path_near(failure))
    if isinstance(failure, HadebError):
        terminal.error(failure)
        return failure.exit_code
    if not interrupt.was_raised():
        # An interrupted function may fail in ways of its own.
        terminal.bug(failure)
    return 1


def _first(failure: Exception) -> Exception:
    """The user's own error, if hadeb failed in another way while it was ending because of it."""
    if isinstance(failure, HadebError):
        return failure
    earlier: BaseException | None = failure
    while earlier is not None:
        earlier = None if earlier.__suppress_context__ else earlier.__context__
        if isinstance(earlier, HadebError):
            return earlier
    return failure


def _path_near(failure: OSError) -> Path | None:
    """The path that the failed function worked on: write(2) and fsync(2) do not name it."""
    near = 0
    for frame, _ in reversed(list(walk_tb(failure.__traceback__))):
        paths = [value for value in frame.f_locals.values() if isinstance(value, Path)]
        if paths:
            return paths[0]
        near += frame.f_code.co_filename.startswith(_TOOLKIT)
        if near == _NEAR:
            break
    return None
