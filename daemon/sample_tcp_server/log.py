# SPDX-License-Identifier: Apache-2.0
"""Lines on standard error, with the <N> priorities that systemd reads (sd-daemon(3))."""

from __future__ import annotations

import os

_STDERR = 2
_ERROR, _WARNING, _NOTICE = 3, 4, 5


def error(text: str) -> None:
    """Something was asked for and could not be done."""
    _line(_ERROR, text)


def warning(text: str) -> None:
    """Service goes on, but not as it should."""
    _line(_WARNING, text)


def notice(text: str) -> None:
    """A step in the life of the daemon; never one line per connection."""
    _line(_NOTICE, text)


def faults(sentences: list[str]) -> None:
    """What is wrong with the command line or the settings, to whoever typed them.

    By hand these are plain lines; the journal gets their priority as well.
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
        pass  # nobody to tell: a terminal that is gone, a full disk; serving matters more
