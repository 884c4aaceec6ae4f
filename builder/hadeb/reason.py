# SPDX-License-Identifier: Apache-2.0
"""Why a program failed, from what it printed: every line that says so, in a bounded space. Pure.

Programs say why before they say that they failed: pcs ends with "Errors have occurred", dpkg with
the package's name, Pacemaker's tools with the configuration that they refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Lines, and characters of a line, that an error quotes.
_LINES, _LINE = 12, 400
# The last lines are quoted, whatever they say.
_LAST = 3
# Standard output of at most so many lines is a message; more is data.
_MESSAGE = 20

_COLOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Progress of dpkg, apt and mmdebstrap, and what gpg says to programs.
_PROGRESS = re.compile(
    r"\(Reading database|Selecting previously unselected|Preparing to unpack|Unpacking "
    r"|Setting up |Processing triggers for|(Get|Hit|Ign):\d|Reading package lists"
    r"|Building dependency tree|Reading state information|Fetched \d|I: |Need to get |After this op"
    r"|\[GNUPG:\]"
)
# A configuration that a tool prints because it refused it, with or without line numbers.
_XML = re.compile(r"\s*(\d+\s+)?<[/?!A-Za-z]|\s*\d+\s*$")
_REASON = re.compile(
    r"error|fail|fatal|critical|invalid|unknown|cannot|can't|could not|unable|denied|refus|reject"
    r"|not found|no such|not permitted|not supported|not installed|missing|required|must |no space"
    r"|unmet|depends|conflict|does not|did not|^E:|timed? ?out|killed",
    re.IGNORECASE,
)


def reason(stdout: str, stderr: str) -> str:
    """The lines that say why a program failed, in its own words; empty if it printed none."""
    errors, output = _lines(stderr), _lines(stdout)
    if not errors:
        return "\n".join(_chosen(output))
    # A maintainer script, or a program that another one ran, may have written there.
    if len(output) > _MESSAGE:
        output = [line for line in output if _REASON.search(line)]
    return "\n".join(_chosen([*output[-_LAST:], *errors]))


def after_colon(text: str) -> str:
    """A reason to put after a sentence: behind a colon, or indented below it; empty if empty."""
    if "\n" not in text:
        return f": {text.strip()}" if text else ""
    return ":" + "".join(f"\n  {line}" for line in text.splitlines())


def _lines(text: str) -> list[str]:
    """The lines that are neither progress nor, beside others, XML."""
    lines: list[str] = []
    for raw in text.split("\n"):
        # A progress bar returns to the start of its line.
        line = _COLOR.sub("", raw).rstrip().rpartition("\r")[2]
        if line.strip() and not _PROGRESS.match(line) and lines[-1:] != [line]:
            lines.append(line if len(line) <= _LINE else f"{line[:_LINE]}…")
    return [line for line in lines if not _XML.match(line)] or lines


def _chosen(lines: Sequence[str]) -> list[str]:
    """At most _LINES of them: those that give a reason, and the last."""
    if len(lines) <= _LINES:
        return list(lines)
    end = len(lines) - _LAST
    numbers = [number for number in range(end) if _REASON.search(lines[number])]
    # The first error is the cause of the later ones.
    numbers = numbers[: _LINES - _LAST]
    missing = _LINES - _LAST - len(numbers)
    others = [number for number in range(end) if number not in numbers]
    numbers = sorted([*numbers, *(others[-missing:] if missing else [])])
    chosen: list[str] = []
    previous = -1
    for number in [*numbers, *range(end, len(lines))]:
        if number != previous + 1:
            chosen.append("…")
        chosen.append(lines[number])
        previous = number
    return chosen
