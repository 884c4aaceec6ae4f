# SPDX-License-Identifier: Apache-2.0
"""Faults of the daemon and of its agent."""

from __future__ import annotations

from hadeb.lab.host.wait import wait_until
from hadeb.lab.scenario.stage import Stage
from hadeb.pacemaker.ocf import agent_path

_WRAPPER = """#!/bin/sh
# Installed by the lab: start fails on this node.
case ${{__OCF_ACTION:-$1}} in
start) exit 1 ;;
esac
exec {original} "$@"
"""

# As the daemon's own user: root in a container may lack the capability to limit other users'
# processes, and every user may lower the limits of their own.
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
    """Why the fault needs a daemon: nothing listens where the service answers."""
    return "" if stage.daemon() else "no process of this node listens at the service's port"


def no_unit(stage: Stage) -> str:
    """Why the fault needs a unit: systemd does not run the daemon."""
    return "" if stage.unit() else "systemd does not run the daemon"


def no_agent_file(stage: Stage) -> str:
    """Why the fault needs an OCF agent: there is no file to break."""
    return "" if agent_path(stage.scenario.agent) else "the agent is not an OCF agent"


def kill(stage: Stage) -> None:
    """Send the daemon SIGKILL."""
    stage.signal("KILL")


def hang(stage: Stage) -> None:
    """Send the daemon SIGSTOP."""
    stage.signal("STOP")


def crash_loop(stage: Stage) -> None:
    """Kill the daemon every time it comes back, until the service moves to another node."""
    service = stage.scenario.service
    stage.cluster.pcs(f"resource meta {service} migration-threshold=3")

    def has_moved() -> bool:
        if stage.serving() not in {stage.victim.name, ""}:
            return True
        stage.signal("KILL")
        return False

    wait_until(has_moved, timeout=45, pause=0.3)


def end_crash_loop(stage: Stage) -> None:
    """Remove the threshold again."""
    stage.cluster.pcs(f"resource meta {stage.scenario.service} migration-threshold=")


def stop_unit(stage: Stage) -> None:
    """Stop the unit, like an operator who forgot that Pacemaker runs it."""
    stage.victim.exec("systemctl", "stop", stage.unit())


def break_start(stage: Stage) -> None:
    """Replace the agent by a wrapper whose start fails, and make a start necessary."""
    path = agent_path(stage.scenario.agent)
    original = f"{path}.of-the-package"
    stage.victim.exec("mv", path, original)
    stage.victim.write(path, _WRAPPER.format(original=original), mode=0o755)
    kill(stage)


def mend_start(stage: Stage) -> None:
    """Restore the agent."""
    path, victim = agent_path(stage.scenario.agent), stage.victim
    move = victim.exec if victim.is_on else victim.offline
    move("mv", f"{path}.of-the-package", path)


def take_descriptors(stage: Stage) -> None:
    """Limit the daemon's open files: it cannot accept a connection."""
    _limit(stage, "--nofile=3:3")


def take_processes(stage: Stage) -> None:
    """Limit the daemon's processes: it cannot fork."""
    _limit(stage, "--nproc=0:0")


def _limit(stage: Stage, what: str) -> None:
    pids = [str(pid) for pid in stage.daemon()]
    stage.victim.exec("sh", "-c", _LIMIT, "limit", what, *pids)
