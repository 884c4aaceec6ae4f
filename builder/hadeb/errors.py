# SPDX-License-Identifier: Apache-2.0
"""Every error a user can meet, each with the exit code it ends the command with.

Exit codes: 1 failed, 2 usage, 3 bad manifest, 4 findings, 5 a tool is missing.
Whatever is raised and is not a HadebError is a bug in hadeb and is reported as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class HadebError(Exception):
    """Something the user can mend: a sentence, and where it helps a hint with the remedy."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HadebError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class ToolMissing(HadebError):
    """A program or a privilege that this machine lacks; the hint is the command that helps."""

    exit_code = 5


class CommandFailed(HadebError):
    """A program we ran ended with an error or ran out of time.

    `returncode` is negative for a signal, and None where a timeout ended the program.
    """

    def __init__(
        self,
        argv: Sequence[str],
        returncode: int | None,
        *,
        stdout: str = "",
        stderr: str = "",
        hint: str | None = None,
    ) -> None:
        how = "ran out of time" if returncode is None else f"ended with {returncode}"
        last = (stderr.strip() or stdout.strip()).splitlines()[-1:]
        said = f": {last[0]}" if last else ""
        super().__init__(f"{' '.join(argv)} {how}{said}", hint=hint)
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a manifest or a file it names.

    `line` counts from 1 and is 0 where a fault has no line, as with a file that does not exist.
    `key` is the dotted path of the key, empty where there is none.
    """

    file: str
    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


class ManifestError(HadebError):
    """All the faults of one or more manifests, in file order."""

    exit_code = 3

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))
