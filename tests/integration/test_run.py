# SPDX-License-Identifier: Apache-2.0
"""hadeb reads a program's output in order and leaves no process behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hadeb.errors import CommandFailed, HadebError, ToolMissing
from hadeb.run import run


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    every = bytes(range(256))
    done = run(["cat"], input=every)
    assert done.stdout_bytes == every
    assert run(["cat"], input=done.stdout).stdout_bytes == every


def test_a_failure_shows_the_command_its_exit_and_what_it_printed() -> None:
    with pytest.raises(CommandFailed) as error:
        run(["sh", "-c", "echo first >&2; echo last >&2; exit 7"])
    assert error.value.returncode == 7
    assert error.value.message == (
        "sh -c 'echo first >&2; echo last >&2; exit 7' ended with 7:\n  first\n  last"
    )
    assert error.value.stderr == "first\nlast\n"


def test_a_failure_that_is_expected_is_a_result() -> None:
    done = run(["sh", "-c", "echo out; exit 3"], check=False)
    assert (done.returncode, done.stdout) == (3, "out\n")


def test_a_program_out_of_time_ends_with_its_children() -> None:
    before = time.monotonic()
    with pytest.raises(CommandFailed) as error:
        run(["sh", "-c", "echo begun; sleep 60 & sleep 60"], timeout=0.2)
    assert error.value.returncode is None
    assert error.value.stdout == "begun\n"
    # The sleeping child holds stdout: if it were alive, run would still be waiting.
    assert time.monotonic() - before < 30


def test_a_child_in_a_group_of_its_own_does_not_hold_up_the_end() -> None:
    before = time.monotonic()
    with pytest.raises(CommandFailed) as error:
        run(["sh", "-c", "echo begun; setsid sleep 20 & sleep 60"], timeout=0.2)
    assert error.value.returncode is None
    assert error.value.stdout == "begun\n"
    assert time.monotonic() - before < 15


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(ToolMissing) as error:
        run(["/nonexistent/systemd-nspawn", "--version"])
    assert error.value.hint == "sudo apt-get install systemd-container"


def test_the_command_is_shown_as_the_user_knows_it() -> None:
    with pytest.raises(CommandFailed) as error:
        run(["sh", "-c", "kill -s KILL $$"], shown="ha1: crm_mon")
    assert error.value.message == "ha1: crm_mon was killed by signal 9"


def test_a_program_that_cannot_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(HadebError) as error:
        run([str(tmp_path)])
    assert error.value.message == f"cannot start {tmp_path}: Permission denied"
    with pytest.raises(HadebError) as error:
        run(["true", "x" * 3_000_000])
    assert error.value.message == "cannot start true: Argument list too long"


def test_a_missing_directory_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(HadebError) as error:
        run(["true"], cwd=tmp_path / "nowhere")
    assert not isinstance(error.value, ToolMissing)
    assert "nowhere" in error.value.message


def test_the_environment_is_replaced_not_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEFT_OVER", "1")
    done = run(["/usr/bin/env"], env={"ONLY": "this"})
    assert done.stdout == "ONLY=this\n"


def test_a_program_that_asks_hears_the_end_of_input() -> None:
    assert run(["cat"]).stdout == ""
