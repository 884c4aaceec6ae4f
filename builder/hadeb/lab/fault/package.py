# SPDX-License-Identifier: Apache-2.0
"""Faults around dpkg: none of them may touch the running service."""

from __future__ import annotations

from hadeb.errors import HadebError
from hadeb.lab.scenario.stage import Stage

_KILLED = """
setsid dpkg --install "$1" >/dev/null 2>&1 &
dpkg=$!
tries=200
# Half-way: the files are unpacked, or are just being.
until [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$2")" != installed ]; do
    [ "$((tries -= 1))" -gt 0 ] || break
done
kill -KILL -- "-$dpkg" 2>/dev/null
wait "$dpkg" 2>/dev/null
dpkg --configure -a
# What was only half unpacked has to be unpacked again.
[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$2")" = installed ] ||
    dpkg --install "$1"
"""


def upgrade(stage: Stage) -> None:
    """On all nodes, one after another."""
    for node in stage.cluster.nodes:
        node.exec("dpkg", "--install", f"/root/{stage.scenario.upgrade.name}")


def downgrade(stage: Stage) -> None:
    """Back to the version that the trials began with."""
    for node in stage.cluster.nodes:
        node.exec("dpkg", "--install", f"/root/{stage.scenario.deb.name}")


def unguarded(stage: Stage) -> str:
    """The package has no service that its removal could hurt."""
    name = stage.scenario.name
    script = stage.victim.exec("cat", f"/var/lib/dpkg/info/{name}.prerm", check=False).stdout
    return "" if "refuse" in script else "the package guards no service"


def remove(stage: Stage) -> None:
    """It has to be refused."""
    done = stage.victim.exec("dpkg", "--remove", stage.scenario.name, check=False)
    # dpkg remembers the wish; take it back as an operator would.
    stage.victim.exec("dpkg", "--install", f"/root/{stage.scenario.deb.name}")
    if done.returncode == 0:
        raise HadebError(
            f"the package was removed from {stage.victim.name}, and nothing refused it"
        )


def kill_upgrade(stage: Stage) -> None:
    """SIGKILL to dpkg, then what an operator does about it."""
    path = f"/root/{stage.scenario.upgrade.name}"
    stage.victim.exec("sh", "-c", _KILLED, "kill", path, stage.scenario.name)
