# SPDX-License-Identifier: Apache-2.0
"""The errors that a user can meet, each with the exit code of the command that it ends.

Exit codes: 1 failed, 2 usage, 3 bad manifest, 4 findings, 5 a tool is missing.
Any other exception is a bug in hadeb and is reported as one.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from hadeb.reason import after_colon, reason

# Characters of a command that an error quotes.
_COMMAND = 300
# What to do where the operating system refuses, by its error number.
_REMEDIES = {
    errno.ENOSPC: "make room on that file system (`df` shows it), or use another directory",
    errno.EDQUOT: "your quota there is used up: make room, or use another directory",
    errno.EROFS: "mount it so that it can be written, or use another directory",
    errno.EACCES: "run the command as a user who may do that, or with sudo",
    errno.EPERM: "run the command as a user who may do that, or with sudo",
    errno.EMFILE: "allow more open files: ulimit -n 4096",
    errno.ENFILE: "the machine has too many open files: sysctl fs.file-max",
    errno.ENOMEM: "end other programs, or give this machine or container more memory",
    errno.EAGAIN: "the machine or the container runs too many processes: see ulimit -u",
    errno.EIO: "the disk or the network file system fails: see dmesg",
    errno.ENOTDIR: "a file is where a directory is needed: name another path, or remove it",
    errno.EISDIR: "a directory is where a file is needed: name another path, or remove it",
    errno.ENAMETOOLONG: "use a shorter path",
}
# The same where a program reports it, which may not say where it was writing.
_ADVICE = {
    "No space left on device": "make room: `df` shows which file system is full; temporary files "
    "go to /tmp, or to TMPDIR",
    "Cannot allocate memory": _REMEDIES[errno.ENOMEM],
    "Too many open files": _REMEDIES[errno.EMFILE],
    "Resource temporarily unavailable": _REMEDIES[errno.EAGAIN],
    "Could not get lock": "another apt or dpkg is running: wait until it ends, then try again",
}


class HadebError(Exception):
    """Something the user can fix: a sentence, and usually a hint that names the remedy."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HadebError):
    """The command line, or a variable of the environment, makes no sense."""

    exit_code = 2


class ToolMissing(HadebError):
    """A program or a privilege is missing here; the hint is the command that helps."""

    exit_code = 5


class CommandFailed(HadebError):
    """A program that hadeb ran failed or ran out of time.

    `returncode` is negative for a signal, and None if the program ran out of time. `shown` is the
    command as the user knows it, where hadeb put other words before it. `reason` is what the
    program printed about it: one line, or several.
    """

    def __init__(
        self,
        argv: Sequence[str],
        returncode: int | None,
        *,
        stdout: str = "",
        stderr: str = "",
        shown: str = "",
        hint: str | None = None,
    ) -> None:
        command = shown or shlex.join(argv)
        if len(command) > _COMMAND:
            command = f"{command[:_COMMAND]}…"
        self.reason = reason(stdout, stderr)
        if not hint:
            hint = next((_ADVICE[text] for text in _ADVICE if text in self.reason), None)
        super().__init__(f"{command} {_end(returncode)}{after_colon(self.reason)}", hint=hint)
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


def _end(returncode: int | None) -> str:
    if returncode is None:
        return "ran out of time"
    if returncode < 0:
        return f"was killed by signal {-returncode}"
    return f"ended with {returncode}"


def of_system(error: OSError, path: object = None) -> HadebError:
    """An error of the operating system with its path, and what to do; `path` if it names none."""
    named = error.filename if error.filename is not None else path
    if isinstance(named, bytes):
        named = named.decode("utf-8", "surrogateescape")
    place = f"{named}: " if named and not isinstance(named, int) else ""
    hint = _REMEDIES.get(error.errno) if error.errno else None
    return HadebError(f"{place}{error.strerror or error}", hint=hint)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong with a manifest or with a file that it names.

    `line` counts from 1; it is 0 if there is no line, as with a file that does not exist.
    `key` is the dotted path of the key, empty if there is none.
    """

    file: str
    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


class ManifestError(HadebError):
    """Everything that is wrong with one or more manifests, in the order of the files."""

    exit_code = 3

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("\n".join(str(finding) for finding in self.findings))
