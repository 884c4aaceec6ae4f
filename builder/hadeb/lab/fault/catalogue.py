# SPDX-License-Identifier: Apache-2.0
"""The faults of the lab: what is done to a cluster, and how it has to come through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hadeb.errors import UsageError
from hadeb.lab.fault import daemon, network, node, package
from hadeb.lab.scenario.stage import Stage

# unfelt: no client notices, and the service stays where it is. returns: it answers again, wherever.
# moves: it answers again, from another node.
Expected = Literal["unfelt", "returns", "moves"]
EXPECTED: dict[Expected, str] = {
    "unfelt": "no connection is lost, and the service stays on its node",
    "returns": "the service answers again",
    "moves": "the service answers again, from another node",
}


def _nothing(_: Stage) -> None:
    """Nothing has to be mended."""


def never(_: Stage) -> str:
    """Nothing stands against it."""
    return ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the lab does to a cluster.

    `did` says it, with {node} for the node it was done to. `obstacle` says why it cannot be done
    to this bundle, nothing where it can. `dwell` is how long to wait for a client to notice, and
    `deadline` how long the service may take to answer again, in seconds.
    """

    name: str
    did: str
    expected: Expected
    inject: Callable[[Stage], None]
    mend: Callable[[Stage], None] = _nothing
    obstacle: Callable[[Stage], str] = never
    dwell: float = 2.0
    deadline: float = 60.0
    smoke: bool = False


FAULTS: tuple[Fault, ...] = (
    Fault(
        "daemon-killed",
        "the daemon on {node} got SIGKILL",
        "returns",
        daemon.kill,
        obstacle=daemon.no_daemon,
        smoke=True,
    ),
    Fault(
        "daemon-hung",
        "the daemon on {node} got SIGSTOP",
        "returns",
        daemon.hang,
        obstacle=daemon.no_daemon,
        deadline=90,
    ),
    Fault(
        "daemon-crash-loop",
        "the daemon on {node} was killed as often as it came back, with migration-threshold=3",
        "moves",
        daemon.crash_loop,
        daemon.end_crash_loop,
        daemon.no_daemon,
        deadline=90,
    ),
    Fault(
        "unit-stopped",
        "the daemon's unit was stopped by hand on {node}",
        "returns",
        daemon.stop_unit,
        obstacle=daemon.no_unit,
    ),
    Fault(
        "start-fails",
        "the daemon on {node} was killed, and its agent cannot start it there again",
        "moves",
        daemon.break_start,
        daemon.mend_start,
        daemon.no_agent_file,
    ),
    Fault(
        "descriptors-gone",
        "the daemon on {node} may open no more files",
        "returns",
        daemon.take_descriptors,
        obstacle=daemon.no_daemon,
        deadline=90,
    ),
    Fault(
        "processes-gone",
        "the daemon on {node} may start no more processes",
        "returns",
        daemon.take_processes,
        obstacle=daemon.no_daemon,
    ),
    Fault(
        "run-full",
        "/run on {node} was filled, then the daemon was killed",
        "returns",
        node.fill_run,
        node.empty_run,
        daemon.no_daemon,
    ),
    Fault(
        "disk-full",
        "the disk of {node} was filled, then the daemon was killed",
        "returns",
        node.fill_disk,
        node.empty_disk,
        daemon.no_daemon,
    ),
    Fault(
        "standby",
        "pcs node standby {node}",
        "moves",
        node.standby,
        smoke=True,
    ),
    Fault(
        "maintenance",
        "the cluster was put into maintenance, and taken out of it",
        "unfelt",
        node.maintenance,
        node.end_maintenance,
    ),
    Fault(
        "address-removed",
        "the virtual address was taken away by hand on {node}",
        "returns",
        node.remove_address,
        obstacle=node.no_address,
    ),
    Fault(
        "package-upgraded",
        "the package was upgraded on every node",
        "unfelt",
        package.upgrade,
        package.downgrade,
        smoke=True,
    ),
    Fault(
        "package-removed",
        "somebody tried to remove the package on {node}",
        "unfelt",
        package.remove,
        obstacle=package.unguarded,
        smoke=True,
    ),
    Fault(
        "upgrade-killed",
        "dpkg was killed half-way through an upgrade on {node}, then told to finish it",
        "unfelt",
        package.kill_upgrade,
        package.downgrade,
    ),
    Fault(
        "network-slow",
        "the network of {node} carried half a megabit for 8 s",
        "returns",
        network.slow,
        network.mend_slow,
        dwell=1,
    ),
    Fault(
        "network-lossy",
        "one in ten packets from {node} was lost for 8 s",
        "returns",
        network.lose,
        network.mend_filter,
        dwell=1,
    ),
    Fault(
        "network-cut",
        "the network cable of {node} was pulled",
        "moves",
        network.cut,
        network.mend_cut,
    ),
    Fault(
        "network-split",
        "{node} could not reach the other nodes, while clients reached all of them",
        "moves",
        network.split,
        network.mend_filter,
    ),
    Fault(
        "node-power-cut",
        "the power of {node} was cut",
        "moves",
        node.cut_power,
        smoke=True,
    ),
    Fault(
        "node-frozen",
        "{node} stood still, as a machine without a processor does",
        "moves",
        node.freeze,
        node.thaw,
    ),
    Fault(
        "node-rebooted",
        "{node} was shut down in order",
        "moves",
        node.shut_down,
    ),
    Fault(
        "pacemaker-killed",
        "pacemakerd on {node} got SIGKILL",
        "returns",
        node.kill_pacemaker,
        dwell=10,
    ),
    Fault(
        "corosync-killed",
        "corosync on {node} got SIGKILL",
        "returns",
        node.kill_corosync,
        dwell=10,
    ),
    Fault(
        "controller-killed",
        "the controller of the designated coordinator got SIGKILL",
        "returns",
        node.kill_controller,
        dwell=10,
    ),
    Fault(
        "cluster-restarted",
        "Pacemaker and corosync were stopped on all nodes, and started again",
        "returns",
        node.restart_cluster,
        deadline=120,
    ),
)
SMOKE = tuple(fault.name for fault in FAULTS if fault.smoke)


def chosen(names: tuple[str, ...]) -> tuple[Fault, ...]:
    """The faults of these names, in the lab's order; all without any."""
    known = {fault.name for fault in FAULTS}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"there is no fault {', '.join(unknown)}", hint=f"there are {', '.join(sorted(known))}"
        )
    return tuple(fault for fault in FAULTS if fault.name in names or not names)
