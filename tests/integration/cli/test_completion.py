# SPDX-License-Identifier: Apache-2.0
"""The code that `hadeb completion` prints completes hadeb's words in real shells, Tab and all."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.command import ENVIRONMENT, HADEB, ROOT, run_hadeb

# How each shell starts without the user's own settings, and learns to complete hadeb's words.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(hadeb completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(hadeb completion zsh)"',
    ),
}


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """One with `hadeb` on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "hadeb"
    program.write_text(f'#!/bin/sh\nexec {" ".join(HADEB)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{programs}:{ENVIRONMENT['PATH']}"
    return {**ENVIRONMENT, "PATH": path, "TERM": "dumb", "HOME": str(tmp_path), "PS1": "$ "}


def read_until(terminal: int, wanted: bytes, seconds: float = 60) -> bytes:
    shown = b""
    end = time.monotonic() + seconds
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        assert ready, f"no {wanted!r} in {shown!r}"
        shown += os.read(terminal, 4096)
    return shown


def type_into(shell: str, line: str, environment: Mapping[str, str], directory: Path) -> None:
    """Type a line, with its Tab, into an interactive shell on a terminal, and let it run."""
    argv, setup = SHELLS[shell]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        argv,
        env=environment,
        cwd=directory,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        # The marks are put together by the shell, so that its echo of what is typed is none.
        os.write(ours, f"{setup}; echo rea''dy\n".encode())
        read_until(ours, b"ready")
        before, tab, after = line.partition("\t")
        os.write(ours, f"{before}{tab}".encode())
        # The word is complete once the blank behind it is shown, and not before.
        read_until(ours, b"schema ")
        os.write(ours, f"{after}; echo do''ne\n".encode())
        read_until(ours, b"done")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_a_command(
    shell: str, environment: Mapping[str, str], tmp_path: Path
) -> None:
    type_into(shell, "hadeb sch\t>schema.json", environment, tmp_path)
    assert json.loads((tmp_path / "schema.json").read_text("utf-8"))["title"] == "bundle.toml"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hadeb pl", {"plan"}),
        ("hadeb ", {"build", "completion", "doctor", "plan", "schema"}),
        ("hadeb build --js", {"--json"}),
        ("hadeb completion ", {"bash", "zsh", "fish"}),
    ],
)
def test_fish_completes_commands_options_and_choices(
    line: str, expected: set[str], environment: Mapping[str, str]
) -> None:
    script = f"hadeb completion fish | source; complete --do-complete='{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "--command", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words = {line.split("\t")[0] for line in done.stdout.splitlines()}
    assert expected <= words
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hadeb pl", ["plan"]),
        ("hadeb plan --j", ["--json"]),
        ("hadeb plan --p", ["--pcs"]),
        ("hadeb completion f", ["fish"]),
        ("hadeb nonsense --j", []),
    ],
)
def test_bash_completes_commands_options_and_choices(
    words: str, expected: list[str], environment: Mapping[str, str]
) -> None:
    script = (
        'eval "$(hadeb completion bash)"; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
        '_hadeb_completion hadeb; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout.split(), done.stderr) == (expected, "")


def test_help_says_how_to_install_the_completion(tmp_path: Path) -> None:
    shown = run_hadeb("completion", "--help", directory=tmp_path).stdout
    assert 'eval "$(hadeb completion bash)"' in shown
    assert str(ROOT) not in run_hadeb("completion", "bash", directory=tmp_path).stdout
