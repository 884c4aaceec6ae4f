# SPDX-License-Identifier: Apache-2.0
"""The first Ctrl-C ends a command with 130, its children with it; later ones interrupt nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.command import ENVIRONMENT

# Runs a part of a command, and exits as hadeb does. What it prints says how far it came.
COMMAND = """
import os, sys, time
from hadeb import interrupt
from hadeb.run import run

def say(word):
    print(word, flush=True)

{parts}

interrupt.obey()
try:
    command()
    say("done")
    interrupt.ignore()
except KeyboardInterrupt:
    say("interrupted")
    sys.exit(interrupt.EXIT_CODE)
"""
WAITS = """
def command():
    say("ready")
    run(["sh", "-c", "trap '' INT; echo $$ >pid; sleep 60"])
"""
CLEANS = """
def clean():
    say("cleaning")
    time.sleep(1)
    say("clean")

def command():
    with interrupt.cleanup(clean):
        say("ready")
        time.sleep(60)
"""
CLEANS_BADLY = CLEANS.replace('say("clean")', 'raise ValueError("read of closed file")')
DEFERS = """
def command():
    with interrupt.deferred():
        say("ready")
        time.sleep(1)
        say("whole")
    say("too far")
"""
FINALIZES = """
class Thing:
    def __del__(self):
        say("ready")
        time.sleep(1)

def command():
    thing = Thing()
    del thing
    time.sleep(60)
"""
ENDS = """
def command():
    interrupt.ignore()
    say("ready")
    time.sleep(1)
"""


def interrupted(parts: str, directory: Path, *, times: int = 1) -> tuple[int, list[str], str]:
    """Run the parts, press Ctrl-C once they are ready; the exit code, stdout's lines, stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(parts=parts)],
        cwd=directory,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    for _ in range(times):
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output.split(), errors


@pytest.mark.parametrize("times", [1, 3])
def test_what_runs_ends_and_takes_its_children_with_it(tmp_path: Path, times: int) -> None:
    assert interrupted(WAITS, tmp_path, times=times) == (130, ["interrupted"], "")
    pid = int((tmp_path / "pid").read_text("utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_cleaning_up_is_not_interrupted(tmp_path: Path, times: int) -> None:
    code, words, errors = interrupted(CLEANS, tmp_path, times=times)
    assert (code, words, errors) == (130, ["cleaning", "clean", "interrupted"], "")


def test_a_failing_cleanup_leaves_an_interrupt_an_interrupt(tmp_path: Path) -> None:
    assert interrupted(CLEANS_BADLY, tmp_path) == (130, ["cleaning", "interrupted"], "")


def test_a_deferred_interrupt_comes_when_the_block_is_whole(tmp_path: Path) -> None:
    assert interrupted(DEFERS, tmp_path) == (130, ["whole", "interrupted"], "")


def test_an_interrupt_that_python_would_drop_comes_again(tmp_path: Path) -> None:
    assert interrupted(FINALIZES, tmp_path) == (130, ["interrupted"], "")


def test_an_interrupt_that_comes_too_late_does_not_lie(tmp_path: Path) -> None:
    assert interrupted(ENDS, tmp_path) == (0, ["done"], "")
