# SPDX-License-Identifier: Apache-2.0
"""Faults of dpkg: none of them may affect the running service."""

from __future__ import annotations

from hadeb.errors import HadebError
from hadeb.lab.scenario.stage import Stage

_KILLED = """
setsid dpkg --install "$1" >/dev/null 2>&1 &
dpkg=$!
tries=200
# Half-way: dpkg has unpacked the files, or is unpacking them.
until [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$2")" != installed ]; do
    [ "$((tries -= 1))" -gt 0 ] || break
done
kill -KILL -- "-$dpkg" 2>/dev/null
wait "$dpkg" 2>/dev/null
dpkg --configure -a
# A package that was half unpacked has to be unpacked again.
[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$2")" = installed ] ||
    dpkg --install "$1"
"""


def upgrade(stage: Stage) -> None:
    """Upgrade the package on all nodes, one after another."""
    for node in stage.cluster.nodes:
        node.exec("dpkg", "--install", f"/root/{stage.scenario.upgrade.name}")


def downgrade(stage: Stage) -> None:
    """Go back to the version that the trials started with."""
    for node in stage.cluster.nodes:
        node.exec("dpkg", "--install", f"/root/{stage.scenario.deb.name}")


def unguarded(stage: Stage) -> str:
    """Why the fault needs a service: the package guards none."""
    name = stage.scenario.name
    script = stage.victim.exec("cat", f"/var/lib/dpkg/info/{name}.prerm", check=False).stdout
    return "" if "refuse" in script else "the package guards no service"


def remove(stage: Stage) -> None:
    """Try to remove the package; HadebError if nothing refuses that."""
    done = stage.victim.exec("dpkg", "--remove", stage.scenario.name, check=False)
    # dpkg remembers the request: install again, as an operator would, to cancel it.
    stage.victim.exec("dpkg", "--install", f"/root/{stage.scenario.deb.name}")
    if done.returncode == 0:
        raise HadebError(
            f"the package was removed from {stage.victim.name}, and nothing refused it"
        )


def kill_upgrade(stage: Stage) -> None:
    """Kill dpkg during an upgrade, then finish that as an operator does."""
    path = f"/root/{stage.scenario.upgrade.name}"
    stage.victim.exec("sh", "-c", _KILLED, "kill", path, stage.scenario.name)
