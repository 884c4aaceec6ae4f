# SPDX-License-Identifier: Apache-2.0
"""Lines on standard error, with the <N> priorities that systemd reads (sd-daemon(3))."""

from __future__ import annotations

import os

_STDERR = 2
_ERROR, _WARNING, _NOTICE = 3, 4, 5


def error(text: str) -> None:
    """The daemon cannot do what was asked for."""
    _line(_ERROR, text)


def warning(text: str) -> None:
    """The service goes on, but not as it should."""
    _line(_WARNING, text)


def notice(text: str) -> None:
    """A step in the life of the daemon; never one line per connection."""
    _line(_NOTICE, text)


def faults(sentences: list[str]) -> None:
    """What is wrong with the command line or the settings, for the user who typed them.

    On a terminal these are plain lines; in the journal they have a priority.
    """
    prefix = f"<{_ERROR}>" if "JOURNAL_STREAM" in os.environ else ""
    _write("".join(f"{prefix}sample-tcp-server: {sentence}\n" for sentence in sentences))


def _line(priority: int, text: str) -> None:
    prefix = "" if os.isatty(_STDERR) else f"<{priority}>"
    _write(prefix + text.replace("\n", " ") + "\n")


def _write(text: str) -> None:
    try:
        os.write(_STDERR, os.fsencode(text))
    except (OSError, UnicodeError):
        pass  # the terminal is gone or the disk is full; serving matters more
