# SPDX-License-Identifier: Apache-2.0
"""The printed commands do in a shell what they should."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.command import ROOT, call_hadeb

CLUSTER = ROOT / "tests/manifests/valid/cluster"


def test_a_shell_runs_each_line_as_one_command(tmp_path: Path) -> None:
    for tool in ("pcs", "crm"):
        program = tmp_path / tool
        program.write_text('#!/bin/sh\nprintf "[%s]" "$@"\necho\n', encoding="utf-8")
        program.chmod(0o755)
        printed = call_hadeb("plan", f"--{tool}", directory=CLUSTER).stdout
        done = subprocess.run(
            ["sh"],
            input=printed,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == len(printed.splitlines())
        assert "[plain=Hi!][history=!x!y][blank=Good night!]" in done.stdout
        assert "[tilde=~/x]" in done.stdout
