# SPDX-License-Identifier: Apache-2.0
"""Faults of a node and of the cluster's own programs.

Only file systems of limited size are filled, inside the node: the machine's own disk and memory are
never at risk.
"""

from __future__ import annotations

from hadeb.lab.node.node import Node
from hadeb.lab.scenario.stage import Stage
from hadeb.parallel import in_parallel

_FILLER = "lab-filler"


def cut_power(stage: Stage) -> None:
    """Cut the victim's power."""
    stage.victim.cut_power()


def freeze(stage: Stage) -> None:
    """Give the victim's processes no CPU time."""
    stage.cluster.unreachable.add(stage.victim.name)
    stage.cluster.freeze(stage.victim)


def thaw(stage: Stage) -> None:
    """Let the victim go on, unless it has been fenced."""
    if stage.victim.is_on:
        stage.cluster.freeze(stage.victim, frozen=False)


def shut_down(stage: Stage) -> None:
    """Shut the victim down, as `shutdown now` does; restoring the cluster boots it again."""
    stage.victim.shutdown()


def standby(stage: Stage) -> None:
    """Put the victim on standby, as an operator does before maintenance."""
    stage.cluster.pcs(f"node standby {stage.victim.name}")


def maintenance(stage: Stage) -> None:
    """Put the cluster into maintenance mode and take it out again."""
    stage.cluster.pcs("property set maintenance-mode=true")
    stage.cluster.settle()
    stage.cluster.pcs("property set maintenance-mode=false")
    stage.cluster.settle()


def end_maintenance(stage: Stage) -> None:
    """Take the cluster out of maintenance mode, even if something failed in between."""
    stage.cluster.pcs("property set maintenance-mode=false")


def no_address(stage: Stage) -> str:
    """Why the fault needs a virtual address: there is none."""
    return "" if stage.scenario.address_resource else "no resource holds the service's address"


def remove_address(stage: Stage) -> None:
    """Remove the virtual address by hand."""
    address = stage.scenario.answer.address
    script = (
        "set -- $(ip -o address show to \"$1\" | awk '{print $2, $4; exit}')"
        ' && ip address del "$2" dev "$1"'
    )
    stage.victim.exec("sh", "-c", script, "remove", address)


def fill_run(stage: Stage) -> None:
    """Fill /run to the last byte, and make a start necessary."""
    stage.victim.sh("mount -o remount,size=32m /run")
    _fill(stage.victim, "/run")
    stage.signal("KILL")


def empty_run(stage: Stage) -> None:
    """Free /run; a node that was fenced has a new one."""
    if stage.victim.is_on:
        stage.victim.sh(f"rm -f /run/{_FILLER}")


def fill_disk(stage: Stage) -> None:
    """Fill the disk to the last byte, and make a start necessary."""
    _fill(stage.victim, "")
    stage.signal("KILL")


def empty_disk(stage: Stage) -> None:
    """Free the disk, even of a node that was fenced."""
    if stage.victim.is_on:
        stage.victim.sh(f"rm -f /{_FILLER}")
    else:
        stage.victim.offline("rm", "-f", f"/{_FILLER}")


def _fill(node: Node, directory: str) -> None:
    node.sh(f"dd if=/dev/zero of={directory}/{_FILLER} bs=64k status=none", check=False)
    node.sh(f"dd if=/dev/zero bs=1 status=none >>{directory}/{_FILLER}", check=False)


def kill_pacemaker(stage: Stage) -> None:
    """Kill pacemakerd, which watches Pacemaker's other daemons."""
    stage.victim.exec("pkill", "-KILL", "-x", "pacemakerd")


def kill_corosync(stage: Stage) -> None:
    """Kill corosync: without it the node is not a member."""
    stage.victim.exec("pkill", "-KILL", "-x", "corosync")


def kill_controller(stage: Stage) -> None:
    """Kill the controller on the designated coordinator."""
    stage.cluster[stage.cluster.coordinator()].exec("pkill", "-KILL", "-f", "pacemaker-controld")


def restart_cluster(stage: Stage) -> None:
    """Stop Pacemaker and corosync on all nodes, and start them again."""
    in_parallel(_stop, stage.cluster.nodes)
    in_parallel(_start, stage.cluster.nodes)
    stage.cluster.wait_online()


def _stop(node: Node) -> None:
    node.exec("systemctl", "stop", "pacemaker", "corosync", timeout=120)


def _start(node: Node) -> None:
    node.exec("systemctl", "start", "corosync", "pacemaker", timeout=120)
