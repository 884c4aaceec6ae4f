# SPDX-License-Identifier: Apache-2.0
"""The errors that a user can meet, each with the exit code of the command that it ends.

Exit codes: 1 failed, 2 usage, 3 bad manifest, 4 findings, 5 a tool is missing.
Any other exception is a bug in hadeb and is reported as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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

    `returncode` is negative for a signal, and None if the program ran out of time.
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
        reason = f": {last[0]}" if last else ""
        super().__init__(f"{' '.join(argv)} {how}{reason}", hint=hint)
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


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
