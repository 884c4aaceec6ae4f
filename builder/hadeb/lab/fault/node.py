# SPDX-License-Identifier: Apache-2.0
"""Faults of a node and of the cluster's own programs.

What is filled is a file system of limited size in the node: the machine's own disk and memory are
never at risk.
"""

from __future__ import annotations

from hadeb.lab.node.node import Node
from hadeb.lab.scenario.stage import Stage
from hadeb.parallel import in_parallel

_FILLER = "lab-filler"


def cut_power(stage: Stage) -> None:
    """As if somebody pulled the plug."""
    stage.victim.cut_power()


def freeze(stage: Stage) -> None:
    """Its processes get no time any more."""
    stage.cluster.deaf.add(stage.victim.name)
    stage.cluster.freeze(stage.victim)


def thaw(stage: Stage) -> None:
    """Let it go on, where nobody has fenced it."""
    if stage.victim.is_on:
        stage.cluster.freeze(stage.victim, frozen=False)


def shut_down(stage: Stage) -> None:
    """As `shutdown now` does; what restores the cluster turns it on again."""
    stage.victim.shutdown()


def standby(stage: Stage) -> None:
    """What an operator does before maintenance."""
    stage.cluster.pcs(f"node standby {stage.victim.name}")


def maintenance(stage: Stage) -> None:
    """The cluster lets go of everything, and takes it up again."""
    stage.cluster.pcs("property set maintenance-mode=true")
    stage.cluster.settle()
    stage.cluster.pcs("property set maintenance-mode=false")
    stage.cluster.settle()


def end_maintenance(stage: Stage) -> None:
    """Out of it, also where something failed in between."""
    stage.cluster.pcs("property set maintenance-mode=false")


def no_address(stage: Stage) -> str:
    """There is no virtual address."""
    return "" if stage.scenario.address_resource else "no resource holds the service's address"


def remove_address(stage: Stage) -> None:
    """As a slip of the hand does."""
    address = stage.scenario.answer.address
    script = (
        "set -- $(ip -o address show to \"$1\" | awk '{print $2, $4; exit}')"
        ' && ip address del "$2" dev "$1"'
    )
    stage.victim.exec("sh", "-c", script, "remove", address)


def fill_run(stage: Stage) -> None:
    """Not a byte is left on /run, and the daemon has to be started again."""
    stage.victim.sh("mount -o remount,size=32m /run")
    _fill(stage.victim, "/run")
    stage.signal("KILL")


def empty_run(stage: Stage) -> None:
    """Give the space back; a node that was fenced has lost its /run."""
    if stage.victim.is_on:
        stage.victim.sh(f"rm -f /run/{_FILLER}")


def fill_disk(stage: Stage) -> None:
    """Not a byte is left on the disk, and the daemon has to be started again."""
    _fill(stage.victim, "")
    stage.signal("KILL")


def empty_disk(stage: Stage) -> None:
    """Give the space back, also where the node was fenced."""
    if stage.victim.is_on:
        stage.victim.sh(f"rm -f /{_FILLER}")
    else:
        stage.victim.offline("rm", "-f", f"/{_FILLER}")


def _fill(node: Node, directory: str) -> None:
    node.sh(f"dd if=/dev/zero of={directory}/{_FILLER} bs=64k status=none", check=False)
    node.sh(f"dd if=/dev/zero bs=1 status=none >>{directory}/{_FILLER}", check=False)


def kill_pacemaker(stage: Stage) -> None:
    """The daemon that watches Pacemaker's others."""
    stage.victim.exec("pkill", "-KILL", "-x", "pacemakerd")


def kill_corosync(stage: Stage) -> None:
    """Without it the node is no member."""
    stage.victim.exec("pkill", "-KILL", "-x", "corosync")


def kill_controller(stage: Stage) -> None:
    """On the node that decides for all."""
    stage.cluster[stage.cluster.coordinator()].exec("pkill", "-KILL", "-f", "pacemaker-controld")


def restart_cluster(stage: Stage) -> None:
    """Everything down in order, and up again."""
    in_parallel(_stop, stage.cluster.nodes)
    in_parallel(_start, stage.cluster.nodes)
    stage.cluster.wait_online()


def _stop(node: Node) -> None:
    node.exec("systemctl", "stop", "pacemaker", "corosync", timeout=120)


def _start(node: Node) -> None:
    node.exec("systemctl", "start", "corosync", "pacemaker", timeout=120)
