# SPDX-License-Identifier: Apache-2.0
"""Whole actions of the sample's agent and of the how-to's, with a systemctl that a test scripts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from hadeb.run import Completed, run
from support.command import ROOT
from support.pages import bundles
from support.resource import GENERIC, NOT_RUNNING, SUCCESS

SAMPLE, HOW_TO = "sample", "how-to"

# What an agent uses of resource-agents' library.
LIBRARY = """
OCF_SUCCESS=0 OCF_ERR_GENERIC=1 OCF_ERR_UNIMPLEMENTED=3 OCF_ERR_INSTALLED=5
OCF_ERR_CONFIGURED=6 OCF_NOT_RUNNING=7
__OCF_ACTION=$1
ocf_exit_reason() { echo "ocf-exit-reason:$1" >&2; }
ocf_is_probe() { [ "$__OCF_ACTION" = monitor ] && [ "$OCF_RESKEY_CRM_meta_interval" = 0 ]; }
ocf_is_decimal() { case $1 in "" | *[!0-9]*) return 1 ;; esac; }
"""
# Each line of `script` is a verb, a code and an output: the first line of the verb is its answer
# and is used up, unless it is the verb's last one.
SYSTEMCTL = r"""#!/bin/sh
cd "${0%/*}" || exit
echo "$1" >>calls
line=$(grep -n -m 1 "^$1 " script) || exit 0
number=${line%%:*} line=${line#*:}
[ "$(grep -c "^$1 " script)" = 1 ] || sed -i "${number}d" script
line=${line#"$1 "}
printf '%b\n' "${line#* }"
[ "${line%% *}" != hang ] || exec sleep 30
exit "${line%% *}"
"""
SILENT = "1 Failed to connect to bus: Connection refused"
CUT = r"1 Warning! D-Bus connection terminated.\nFailed to wait for response: Connection reset"
MASKED = "1 Failed to start UNIT: Unit UNIT is masked."


def shown(state: str) -> dict[str, str]:
    """What `systemctl show` prints for each agent, which ask differently."""
    return {SAMPLE: rf"0 ActiveState={state}\nControlGroup=\nMainPID=0", HOW_TO: f"0 {state}"}


class Agent:
    """An agent of the project on a machine whose systemd follows a script."""

    def __init__(self, which: str, place: Path) -> None:
        self.which, self._place = which, place
        if which == SAMPLE:
            text = (ROOT / "agents/sample-tcp-server").read_text("utf-8")
            self._unit = "sample-tcp-server@R.service"
        else:
            text = next(
                files["agents/clockd"] for _, files in bundles() if "agents/clockd" in files
            )
            self._unit = "clockd@R.service"
        text = re.sub(r"/run/(systemd/system|sample-tcp-server|clockd)", rf"{place}/run", text)
        (place / "run").mkdir()
        (place / "agent").write_text(
            text.replace("/usr/bin/sample-tcp-server", "/bin/true"), encoding="utf-8"
        )
        (place / "ocf-shellfuncs").write_text(LIBRARY, encoding="utf-8")
        for name, content in (("systemctl", SYSTEMCTL), ("systemd-escape", '#!/bin/sh\necho "$2"')):
            (place / name).write_text(content + "\n", encoding="utf-8")
            (place / name).chmod(0o755)

    def __call__(self, action: str, *script: str, limit: int = 20, interval: int = 0) -> Completed:
        lines = "".join(f"{line.replace('UNIT', self._unit)}\n" for line in script)
        (self._place / "script").write_text(lines, encoding="utf-8")
        environment = {
            "PATH": f"{self._place}:/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_FUNCTIONS_DIR": str(self._place),
            "OCF_RESOURCE_INSTANCE": "R",
            "OCF_RESKEY_CRM_meta_timeout": str(limit * 1000),
            "OCF_RESKEY_CRM_meta_interval": str(interval * 1000),
        }
        return run(["sh", str(self._place / "agent"), action], env=environment, check=False)

    def show(self, state: str) -> str:
        return f"show {shown(state)[self.which]}"

    @property
    def calls(self) -> list[str]:
        return (self._place / "calls").read_text("utf-8").split()


@pytest.fixture(params=[SAMPLE, HOW_TO])
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Agent:
    return Agent(request.param, tmp_path)


@pytest.mark.parametrize("silence", [SILENT, CUT])
def test_a_stop_is_ordered_again_until_systemd_takes_it(agent: Agent, silence: str) -> None:
    done = agent(
        "stop",
        *(f"stop {silence}", f"stop {silence}", "stop 0 "),
        *(f"show {silence}", agent.show("inactive")),
    )
    assert (done.returncode, done.stderr) == (SUCCESS, "")
    assert agent.calls.count("stop") == 3
    assert "kill" not in agent.calls


def test_a_failed_unit_is_reset_although_systemd_is_silent_at_first(agent: Agent) -> None:
    reset = (f"reset-failed {SILENT}", "reset-failed 0 ")
    done = agent("stop", "stop 0 ", agent.show("failed"), *reset)
    assert done.returncode == SUCCESS
    assert agent.calls.count("reset-failed") == 2


def test_a_unit_that_does_not_stop_is_killed_although_systemd_is_silent_at_first(
    agent: Agent,
) -> None:
    stops = ("stop 1 Job for UNIT failed because a timeout was exceeded.", "stop 0 ")
    kills = (f"kill {SILENT}", "kill 0 ")
    shows = (agent.show("deactivating"), agent.show("inactive"))
    done = agent("stop", *stops, *kills, *(shows if agent.which == SAMPLE else shows[1:]))
    assert done.returncode == SUCCESS
    assert agent.calls.count("kill") == 2


def test_a_stop_of_little_time_kills_all_the_same(tmp_path: Path) -> None:
    agent = Agent(SAMPLE, tmp_path)
    shows = (agent.show("deactivating"), agent.show("inactive"))
    done = agent("stop", "stop hang ", "stop 0 ", *shows, limit=2)
    assert (done.returncode, agent.calls.count("kill")) == (SUCCESS, 1)


@pytest.mark.parametrize(
    ("state", "code"), [("active", SUCCESS), ("inactive", NOT_RUNNING), ("failed", NOT_RUNNING)]
)
def test_a_probe_asks_again_until_systemd_says_the_state(
    agent: Agent, state: str, code: int
) -> None:
    done = agent("monitor", f"show {SILENT}", f"show {CUT}", agent.show(state))
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("silence", [SILENT, "hang "])
def test_a_probe_without_an_answer_does_not_say_that_nothing_runs(
    agent: Agent, silence: str
) -> None:
    began = time.monotonic()
    done = agent("monitor", f"show {silence}", limit=4)
    assert 1 < time.monotonic() - began < 4
    assert done.returncode == GENERIC
    assert "no answer from systemd" in done.stderr


@pytest.mark.parametrize("silence", [SILENT, "hang "])
def test_a_stop_without_an_answer_fails_before_its_time_is_over(
    tmp_path: Path, silence: str
) -> None:
    began = time.monotonic()
    verbs = ("stop", "show", "kill", "reset-failed")
    agent = Agent(SAMPLE, tmp_path)
    done = agent("stop", *(f"{verb} {silence}" for verb in verbs), limit=6)
    assert time.monotonic() - began < 6
    assert done.returncode == GENERIC
    assert "no answer from systemd" in done.stderr


@pytest.mark.parametrize("silence", [SILENT, CUT])
def test_a_start_is_ordered_again_until_systemd_takes_it(tmp_path: Path, silence: str) -> None:
    agent = Agent(HOW_TO, tmp_path)
    done = agent("start", agent.show("inactive"), f"start {silence}", "start 0 ")
    assert (done.returncode, done.stderr) == (SUCCESS, "")
    assert agent.calls.count("start") == 2


def test_a_start_that_systemd_refuses_fails_at_once_and_says_why(agent: Agent) -> None:
    done = agent("start", agent.show("inactive"), f"start {MASKED}")
    assert done.returncode == GENERIC
    assert done.stderr == "ocf-exit-reason:cannot start: Unit is masked.\n"
    assert agent.calls.count("start") == 1


def test_a_start_whose_job_was_done_unseen_is_not_repeated(tmp_path: Path) -> None:
    """The client hung; systemd started the daemon all the same."""
    agent = Agent(SAMPLE, tmp_path)
    done = agent("start", "start hang ", agent.show("active"), limit=6)
    assert agent.calls.count("start") == 1
    assert "no answer" not in done.stderr


def test_a_reload_is_ordered_again_until_systemd_takes_it(tmp_path: Path) -> None:
    agent = Agent(SAMPLE, tmp_path)
    shows = (f"show {SILENT}", agent.show("active"))
    done = agent("reload", *shows, f"reload {CUT}", "reload 0 ")
    assert (done.returncode, done.stderr) == (SUCCESS, "")
    assert agent.calls.count("reload") == 2
