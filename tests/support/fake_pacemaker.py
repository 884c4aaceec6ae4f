# SPDX-License-Identifier: Apache-2.0
"""Programs that answer like Pacemaker's tools, for scripts that run without a cluster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# Each program logs its call. It fails as often as the file NAME.silent says, as it does while
# Pacemaker starts; then it does what its own lines say.
_PROGRAM = """#!/bin/sh
directory={directory}
echo "{name} $*" >>"$directory/log"
silent=$(cat "$directory/{name}.silent" 2>/dev/null) || silent=0
if [ "$silent" -gt 0 ]; then
    echo $((silent - 1)) >"$directory/{name}.silent"
    exit 102
fi
{does}
"""


class Tools:
    """A directory of such programs, first in PATH."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()

    def add(self, name: str, does: str, *, silent: int = 0) -> None:
        """Add a program; `silent` is how many calls get no answer before it does that."""
        program = self.directory / name
        program.write_text(_PROGRAM.format(name=name, directory=self.directory, does=does), "utf-8")
        program.chmod(0o755)
        if silent:
            self.write(f"{name}.silent", str(silent))

    def prints(self, name: str, text: str, *, status: int = 0, silent: int = 0) -> None:
        """Add a program that prints a text."""
        self.write(f"{name}.txt", text)
        self.add(name, f'cat "$directory/{name}.txt"; exit {status}', silent=silent)

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text, "utf-8")

    def read(self, name: str) -> str:
        return (self.directory / name).read_text("utf-8")

    def calls(self, name: str) -> list[str]:
        """The arguments of each call of a program."""
        log = self.directory / "log"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{name} ")]

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a script of sh that finds these programs first."""
        return subprocess.run(
            ["sh", *command],
            env={**os.environ, "PATH": f"{self.directory}:/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
