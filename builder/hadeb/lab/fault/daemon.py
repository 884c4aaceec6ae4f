# SPDX-License-Identifier: Apache-2.0
"""Faults of the daemon and of its agent."""

from __future__ import annotations

import time

from hadeb.lab.scenario.stage import Stage
from hadeb.pacemaker.ocf import agent_path

_WRAPPER = """#!/bin/sh
# Put here by the lab: start fails on this node.
case ${{__OCF_ACTION:-$1}} in
start) exit 1 ;;
esac
exec {original} "$@"
"""

# As the daemon's own user: root of a container may lack the right to limit others, and lowering
# one's own limits is everybody's.
_LIMIT = """
set -eu
limit=$1
shift
for pid; do
    owner=$(stat -c %u "/proc/$pid") group=$(stat -c %g "/proc/$pid")
    setpriv --reuid="$owner" --regid="$group" --clear-groups prlimit --pid="$pid" "$limit"
done
"""


def no_daemon(stage: Stage) -> str:
    """Nobody listens where the service answers."""
    return "" if stage.daemon() else "no process of this node listens at the service's port"


def no_unit(stage: Stage) -> str:
    """The daemon is in no unit of its own."""
    return "" if stage.unit() else "systemd does not run the daemon"


def no_agent_file(stage: Stage) -> str:
    """The agent is no OCF agent, so there is no file to break."""
    return "" if agent_path(stage.scenario.agent) else "the agent is no file"


def kill(stage: Stage) -> None:
    """SIGKILL."""
    stage.signal("KILL")


def hang(stage: Stage) -> None:
    """SIGSTOP."""
    stage.signal("STOP")


def crash_loop(stage: Stage) -> None:
    """Kill it as often as it comes back, until it goes to another node."""
    service = stage.scenario.service
    stage.cluster.pcs(f"resource meta {service} migration-threshold=3")
    deadline = time.monotonic() + 45
    while stage.serving() in {stage.victim.name, ""} and time.monotonic() < deadline:
        stage.signal("KILL")
        time.sleep(0.3)


def end_crash_loop(stage: Stage) -> None:
    """Take the threshold away again."""
    stage.cluster.pcs(f"resource meta {stage.scenario.service} migration-threshold=")


def stop_unit(stage: Stage) -> None:
    """As somebody does who does not know that Pacemaker runs it."""
    stage.victim.exec("systemctl", "stop", stage.unit())


def break_start(stage: Stage) -> None:
    """Put a wrapper before the agent, and make a start necessary."""
    path = agent_path(stage.scenario.agent)
    original = f"{path}.of-the-package"
    stage.victim.exec("mv", path, original)
    stage.victim.write(path, _WRAPPER.format(original=original), mode=0o755)
    kill(stage)


def mend_start(stage: Stage) -> None:
    """Take the wrapper away."""
    path, victim = agent_path(stage.scenario.agent), stage.victim
    move = victim.exec if victim.is_on else victim.offline
    move("mv", f"{path}.of-the-package", path)


def take_descriptors(stage: Stage) -> None:
    """No more than it has open: it cannot accept a connection."""
    _limit(stage, "--nofile=3:3")


def take_processes(stage: Stage) -> None:
    """It cannot fork."""
    _limit(stage, "--nproc=0:0")


def _limit(stage: Stage, what: str) -> None:
    pids = [str(pid) for pid in stage.daemon()]
    stage.victim.exec("sh", "-c", _LIMIT, "limit", what, *pids)
