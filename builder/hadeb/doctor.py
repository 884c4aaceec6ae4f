# SPDX-License-Identifier: Apache-2.0
"""What this machine lacks for the lab and for publishing. Building needs only Python."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hadeb.context import Context
from hadeb.debian.programs import LAB, PUBLISH, package_of
from hadeb.errors import HadebError
from hadeb.lab.node.mirror import debian_archive


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that a task needs. `remedy` is empty if it is present."""

    what: str
    task: str
    present: bool
    remedy: str


def diagnose(context: Context) -> list[Diagnosis]:
    """Check for everything that the tasks need."""
    lab = (*_programs(LAB), _root(context), _archive())
    return [
        Diagnosis(what, task, present=not remedy, remedy=remedy)
        for task, needs in (("lab", lab), ("publish", _programs(PUBLISH)))
        for what, remedy in needs
    ]


def install_line(diagnoses: Sequence[Diagnosis]) -> str | None:
    """The command that installs all missing programs; None if none is missing."""
    missing = {diagnosis.what for diagnosis in diagnoses if not diagnosis.present} & {
        *LAB,
        *PUBLISH,
    }
    packages = sorted({package_of(program) for program in missing})
    return (
        f"sudo apt-get install --no-install-recommends {' '.join(packages)}" if packages else None
    )


def _programs(programs: Iterable[str]) -> Iterator[tuple[str, str]]:
    for program in programs:
        yield program, "" if _on_path(program) else f"install the package {package_of(program)}"


def _root(context: Context) -> tuple[str, str]:
    return "root", "" if context.is_root else "use sudo"


def _archive() -> tuple[str, str]:
    try:
        debian_archive()
    except HadebError as failure:
        return "a Debian archive in apt's sources", failure.hint or failure.message
    return "a Debian archive in apt's sources", ""


def _on_path(program: str) -> bool:
    # On Debian, a user's PATH has no sbin, but sudo's has.
    return bool(shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin"))
