# SPDX-License-Identifier: Apache-2.0
"""The command as its users and their scripts meet it: streams, exit codes, colors, help."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from hadeb.cli.main import hadeb
from support.command import ENVIRONMENT, HADEB, ROOT, call_hadeb, run_hadeb
from support.two_bundles import several

COMMANDS = sorted(hadeb.commands)
VALID = ROOT / "tests/manifests/valid"
INVALID = ROOT / "tests/manifests/invalid"


def output_to(stream: str, argv: list[str], directory: Path) -> tuple[int, str]:
    """The exit code and stderr of a call that begins with a redirection in sh."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {stream}', "sh", *HADEB, *argv],
        cwd=directory,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def on_terminal(argv: list[str], environment: Mapping[str, str], directory: Path) -> str:
    """What a call shows on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*HADEB, *argv],
        cwd=directory,
        env={**ENVIRONMENT, "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:
            pass  # the other end is closed
    os.close(ours)
    return shown.decode()


def test_a_build_prints_the_path_and_nothing_else(bundle: Path) -> None:
    call = run_hadeb("build", directory=bundle)
    assert (call.code, call.stdout, call.stderr) == (0, "dist/greeter_1.0_all.deb\n", "")


def test_what_a_build_prints_can_be_given_to_apt(bundle: Path) -> None:
    script = 'dpkg-deb --field "./$("$@")" Package'
    argv = ["sh", "-c", script, "sh", *HADEB, "build"]
    done = subprocess.run(argv, cwd=bundle, env=ENVIRONMENT, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"greeter\n", b"")


def test_json_of_a_build_is_a_receipt_or_a_list_of_them(tmp_path: Path) -> None:
    names = several(tmp_path)
    single = json.loads(call_hadeb("build", "--json", names[0], directory=tmp_path).stdout)
    deb = tmp_path / "dist/greeter-1_1.0_all.deb"
    summed = subprocess.run(["sha256sum", deb], check=True, capture_output=True, text=True).stdout
    assert single == {
        "path": "dist/greeter-1_1.0_all.deb",
        "name": "greeter-1",
        "version": "1.0",
        "architecture": "all",
        "size": deb.stat().st_size,
        "sha256": summed.split()[0],
    }
    two = json.loads(call_hadeb("build", "--json", *names, directory=tmp_path).stdout)
    assert two[0] == single
    assert [receipt["name"] for receipt in two] == ["greeter-1", "greeter-2"]


def test_json_of_the_doctor_lists_what_it_looked_for(tmp_path: Path) -> None:
    call = run_hadeb("doctor", "--json", directory=tmp_path)
    needs = json.loads(call.stdout)
    assert {"what", "task", "present", "remedy"} == needs[0].keys()
    assert call.code == (0 if all(item["present"] for item in needs) else 5)


def test_the_doctor_ends_with_5_where_all_tools_are_missing(tmp_path: Path) -> None:
    lost = call_hadeb("doctor", "--json", directory=tmp_path, environment={"PATH": "/nonexistent"})
    missing = [item for item in json.loads(lost.stdout) if not item["present"]]
    assert lost.code == 5
    assert any(item["what"] == "mmdebstrap" for item in missing)
    assert "apt-get install" in lost.stderr
    assert "mmdebstrap" in lost.stderr


def test_an_interrupt_ends_with_130_and_no_traceback(bundle: Path) -> None:
    pipe = bundle / "pipe"
    os.mkfifo(pipe)
    # A test that runs in the background ignores SIGINT, and so would its children.
    argv = ["env", "--default-signal=INT", *HADEB, "build", str(pipe)]
    with (
        subprocess.Popen(
            argv, cwd=bundle, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        pipe.open("wb"),  # once hadeb has opened it, it waits for what is written
    ):
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr.strip()) == (130, b"", b"")


BUG = """
import hadeb.package.plan

def plan(bundle):
    raise RuntimeError("planted\\x1b[31m")

hadeb.package.plan.plan = plan
"""


@pytest.fixture
def planted(tmp_path: Path) -> dict[str, str]:
    """An environment in which hadeb has a bug."""
    (tmp_path / "sitecustomize.py").write_text(BUG, encoding="utf-8")
    return {"PYTHONPATH": f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"}


def test_a_bug_is_reported_as_a_bug_without_a_traceback(planted: dict[str, str]) -> None:
    call = run_hadeb("plan", directory=VALID / "agents-only", environment=planted)
    assert (call.code, call.stdout) == (1, "")
    first, second = call.stderr.splitlines()
    assert first == r"bug: RuntimeError at sitecustomize.py:5: planted\x1b[31m"
    assert second.startswith("hint: this is a bug in hadeb, not in your bundle; ")
    assert "--debug" in second


def test_debug_shows_the_traceback(planted: dict[str, str]) -> None:
    call = run_hadeb("plan", "--debug", directory=VALID / "agents-only", environment=planted)
    assert call.code == 1
    assert "Traceback (most recent call last):" in call.stderr
    assert "bug: RuntimeError" in call.stderr


RED = "\x1b[1;31merror\x1b[0m: "


def test_color_is_for_terminals_unless_refused() -> None:
    assert RED in on_terminal(["build"], {}, INVALID / "empty")
    assert "\x1b" not in on_terminal(["build"], {"NO_COLOR": "1"}, INVALID / "empty")
    assert RED in on_terminal(["build"], {"NO_COLOR": ""}, INVALID / "empty")


def test_no_result_is_ever_colored(tmp_path: Path) -> None:
    for command in ("plan", "schema", "doctor"):
        call = call_hadeb(command, directory=ROOT, environment={"FORCE_COLOR": "1"})
        assert "\x1b" not in call.stdout


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json"), ("schema",), ("--help",)])
def test_a_reader_that_is_gone_is_no_reason_to_complain(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*HADEB, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_behind_stdout_is_reported() -> None:
    for argv in (["plan"], ["plan", "--json"], ["schema"]):
        code, message = output_to(">/dev/full", argv, ROOT)
        assert code == 1
        assert message.startswith("error: standard output: No space left on device\nhint: ")


def test_a_closed_stdout_is_reported() -> None:
    code, message = output_to(">&-", ["plan"], ROOT)
    assert code == 1
    assert message.startswith("error: standard output is closed")
    assert "bug" not in message


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_the_exit_code_holds_if_stderr_cannot_be_written(stream: str) -> None:
    assert output_to(f"{stream}", ["build"], INVALID / "empty") == (3, "")
    assert output_to(f"{stream}", ["build", "gone.toml"], INVALID) == (3, "")


@pytest.mark.parametrize("width", ["40", "80", "300"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen_and_explains_every_option(command: str, width: str) -> None:
    arguments = [command] if command else []
    environment = {"COLUMNS": width, "LINES": "50"}
    long = run_hadeb(*arguments, "--help", directory=ROOT, environment=environment)
    assert (long.code, long.stderr) == (0, "")
    assert max(map(len, long.stdout.splitlines())) <= 100
    assert long.stdout.startswith("Usage: hadeb")


def test_a_deleted_directory_is_reported(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'rmdir "{gone}" && exec "$@"'
    call = run_hadeb("build", directory=gone, command=("sh", "-c", script, "sh", *HADEB))
    assert (call.code, call.stdout) == (1, "")
    assert call.stderr.startswith("error: ")
