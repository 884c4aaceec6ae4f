# SPDX-License-Identifier: Apache-2.0
"""Run hadeb under interposer.c, which counts file-changing calls and interrupts one of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("interposer.c")
_START = "start "


def compiled(place: Path) -> Path:
    """The library, made in a directory."""
    library = place / "interposer.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library, _SOURCE],
        check=True,
    )
    return library


def interposed(library: Path, *below: Path, **how: str | int | Path) -> dict[str, str]:
    """The environment that makes a program act at calls that change files below a directory."""
    settings = {f"INTERPOSE_{name.upper()}": str(value) for name, value in how.items()}
    return {
        "LD_PRELOAD": str(library),
        "INTERPOSE_BELOW": ":".join(map(str, below)),
        **settings,
    }


def calls(log: Path) -> list[str]:
    """The calls of a run that was logged: a name and a path each."""
    return [line for line in _lines(log) if not line.startswith(_START)]


def programs(log: Path) -> list[str]:
    """The paths of the programs that a run has started which was logged."""
    return [line.removeprefix(_START) for line in _lines(log) if line.startswith(_START)]


def _lines(log: Path) -> list[str]:
    return log.read_text("utf-8").splitlines()
