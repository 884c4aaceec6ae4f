# SPDX-License-Identifier: Apache-2.0
"""How the agents ask systemd: with a systemctl that answers as those of Debian 12 and 13 do."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from hadeb.run import Completed, run
from support.command import ROOT

UNIT = "sample-tcp-server@R.service"
LONG = f"sample-tcp-server@{'n' * 100}.service"
NO_ANSWER = 124

# The Nth call prints answers/N and ends with the code in its first line; the last one repeats.
SYSTEMCTL = """#!/bin/sh
cd "${0%/*}/answers" || exit
echo "$@" >>../calls
number=$(wc -l <../calls)
[ -e "$number" ] || number=$(ls | sort -n | tail -n 1)
{ read -r code; cat; } <"$number" >&2
[ "$code" != hang ] || sleep 30
exit "$code"
"""
HARNESS = """
newline="
"
unit=$1
shift
{function}
ask_systemd "$@"
code=$?
printf '%s\\n%s' "$code" "$message"
"""

# What systemctl prints while systemd re-executes itself, and while D-Bus or systemd is busy.
SILENCE = [
    "Failed to connect to bus: Connection refused",
    "Failed to connect to bus: No such file or directory",
    "Failed to connect to bus: Resource temporarily unavailable",
    "Failed to connect to system scope bus via local transport: Connection refused",
    "Failed to get properties: Transport endpoint is not connected",
    "Failed to get properties: Message recipient disconnected from message bus without replying",
    "Failed to get properties: Connection timed out",
    "Failed to kill unit UNIT: Connection reset by peer",
    "Failed to start UNIT: Transport endpoint is not connected\n"
    "See system logs and 'systemctl status UNIT' for details.",
    "Failed to stop UNIT: Message recipient disconnected from message bus without replying\n"
    "See system logs and 'systemctl status UNIT' for details.",
    "Failed to start UNIT: Launch helper exited with unknown return code 1\n"
    "See system logs and 'systemctl status UNIT' for details.",
    "Warning! D-Bus connection terminated.\nFailed to wait for response: Connection reset by peer",
    "D-Bus connection terminated while waiting for jobs.\n"
    "Failed to wait for response: Connection reset by peer",
    "Warning: The unit file, source configuration file or drop-ins of UNIT changed on disk. "
    "Run 'systemctl daemon-reload' to reload units.\n"
    "Warning! D-Bus connection terminated.\n"
    "Failed to wait for response: Connection reset by peer",
    # An answer, but to somebody else's order.
    "Job for UNIT canceled.",
]

# What systemd itself answers, with systemctl's exit code, and what is left of it as a reason.
REFUSALS = [
    ("1", "Failed to start UNIT: Unit UNIT is masked.", "Unit is masked."),
    ("5", "Failed to start UNIT: Unit UNIT not found.", "Unit not found."),
    ("5", "Failed to stop UNIT: Unit UNIT not loaded.", "Unit not loaded."),
    ("1", "Failed to kill unit UNIT: Unit UNIT not loaded.", "Unit not loaded."),
    (
        "1",
        "Job for UNIT failed because the control process exited with error code.\n"
        'See "systemctl status UNIT" and "journalctl -xeu UNIT" for details.',
        "Job failed because the control process exited with error code.",
    ),
    (
        "1",
        "A dependency job for UNIT failed. See 'journalctl -xe' for details.",
        "A dependency job failed.",
    ),
    ("1", "UNIT is not active, cannot reload.", "is not active, cannot reload."),
    (
        "4",
        "Failed to start UNIT: Operation refused, unit UNIT may be requested by dependency only "
        "(it is configured to refuse manual start/stop).\n"
        "See system logs and 'systemctl status UNIT' for details.",
        "Operation refused, unit may be requested by dependency only "
        "(it is configured to refuse manual start/stop).",
    ),
    (
        "1",
        "Failed to start UNIT: Transaction for UNIT/start is destructive (umount.target has "
        "'start' job queued, but 'stop' is included in transaction).\n"
        "See system logs and 'systemctl status UNIT' for details.",
        "Transaction/start is destructive (umount.target has 'start' "
        "job queued, but 'stop' is included in transaction).",
    ),
    (
        "1",
        "Warning: The unit file, source configuration file or drop-ins of UNIT changed on disk. "
        "Run 'systemctl daemon-reload' to reload units.\n"
        "Job for UNIT failed because a timeout was exceeded.\n"
        'See "systemctl status UNIT" and "journalctl -xeu UNIT" for details.',
        "Job failed because a timeout was exceeded.",
    ),
]


def function(file: str) -> str:
    """ask_systemd as a file of the project has it."""
    match = re.search(
        r"^# Calls systemctl .*?^}$", (ROOT / file).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert match
    return match[0]


class Systemd:
    """A systemd that gives the answers that a test lists, and counts the calls."""

    def __init__(self, place: Path) -> None:
        self._place = place
        (place / "answers").mkdir(parents=True)
        (place / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
        (place / "systemctl").chmod(0o755)

    def ask(self, *answers: str, unit: str = UNIT, seconds: int = 10) -> tuple[int, str]:
        """The function's exit code and message; an answer is systemctl's code and output."""
        for number, answer in enumerate(answers, start=1):
            text = answer.replace("UNIT", unit) + "\n"
            (self._place / "answers" / str(number)).write_text(text, encoding="utf-8")
        code, _, message = self.call("start", unit=unit, seconds=seconds).stdout.partition("\n")
        return int(code), message

    def call(self, *words: str, unit: str, seconds: int) -> Completed:
        own = function("agents/sample-tcp-server").replace("/run/systemd/system", str(self._place))
        script = HARNESS.replace("{function}", own)
        path = f"{self._place}:/usr/sbin:/usr/bin:/sbin:/bin"
        return run(["sh", "-c", script, "sh", unit, str(seconds), *words], env={"PATH": path})

    @property
    def calls(self) -> list[str]:
        return (self._place / "calls").read_text("utf-8").splitlines()


@pytest.fixture
def systemd(tmp_path: Path) -> Systemd:
    return Systemd(tmp_path / "systemd")


@pytest.mark.parametrize("silence", SILENCE)
def test_it_is_asked_again_until_it_answers(systemd: Systemd, silence: str) -> None:
    assert systemd.ask(f"1\n{silence}", f"1\n{silence}", "0\nActiveState=active") == (
        0,
        "ActiveState=active",
    )
    assert systemd.calls == [f"start {UNIT}"] * 3


@pytest.mark.parametrize("unit", [UNIT, LONG])
@pytest.mark.parametrize(("code", "refusal", "left"), REFUSALS)
def test_what_it_refuses_is_final_and_names_no_unit(
    systemd: Systemd, unit: str, code: str, refusal: str, left: str
) -> None:
    assert systemd.ask(f"{code}\n{refusal}", "0\n", unit=unit) == (int(code), left)
    assert len(systemd.calls) == 1


@pytest.mark.parametrize("silence", ["1\n" + SILENCE[3], "hang\n"])
def test_it_is_asked_no_longer_than_the_time_that_is_given(systemd: Systemd, silence: str) -> None:
    began = time.monotonic()
    code, message = systemd.ask(silence, seconds=3)
    assert 1 < time.monotonic() - began < 3.5
    assert code == NO_ANSWER
    cause = "" if silence.startswith("hang") else ": Connection refused"
    assert message == f"no answer from systemd{cause}"


def test_where_systemd_does_not_run_nothing_is_asked(systemd: Systemd, tmp_path: Path) -> None:
    own = function("agents/sample-tcp-server").replace("/run/systemd/system", f"{tmp_path}/none")
    script = HARNESS.replace("{function}", own)
    done = run(["sh", "-c", script, "sh", UNIT, "5", "start"])
    assert done.stdout == f"{NO_ANSWER}\nno answer from systemd"


def test_the_agent_of_the_how_to_asks_as_the_sample_does() -> None:
    page = "docs/how-to/package-your-daemon.md"
    assert function(page) == function("agents/sample-tcp-server")
