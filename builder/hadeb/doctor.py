# SPDX-License-Identifier: Apache-2.0
"""What this machine lacks for each of hadeb's tasks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from hadeb.context import Context


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that hadeb starts, the Debian package it is in, and what needs it."""

    program: str
    package: str
    task: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked for. `remedy` is empty where nothing is wrong."""

    what: str
    task: str
    present: bool
    remedy: str


TOOLS = (
    Tool("dpkg", "dpkg", "install"),
    Tool("lintian", "lintian", "check"),
    Tool("shellcheck", "shellcheck", "check"),
    Tool("xmllint", "libxml2-utils", "check"),
    Tool("mmdebstrap", "mmdebstrap", "lab"),
    Tool("systemd-nspawn", "systemd-container", "lab"),
    Tool("ip", "iproute2", "lab"),
    Tool("nsenter", "util-linux", "lab"),
)


def diagnose(context: Context) -> list[Diagnosis]:
    """Look for every tool and for root. `hadeb build` itself needs none of them."""
    found = [
        Diagnosis(
            what=tool.program,
            task=tool.task,
            present=present,
            remedy="" if present else f"install the package {tool.package}",
        )
        for tool in TOOLS
        for present in [_on_path(tool.program)]
    ]
    root = Diagnosis("root", "lab", context.is_root, "" if context.is_root else "use sudo")
    return [*found, root]


def remedy() -> str | None:
    """The one line that installs all that is missing; None where nothing is."""
    missing: Sequence[str] = sorted({tool.package for tool in TOOLS if not _on_path(tool.program)})
    return f"sudo apt-get install --no-install-recommends {' '.join(missing)}" if missing else None


def _on_path(program: str) -> bool:
    # A user's PATH on Debian has no sbin; sudo finds what is there all the same.
    return bool(shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin"))
