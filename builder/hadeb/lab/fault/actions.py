# SPDX-License-Identifier: Apache-2.0
"""How each fault of the catalogue is injected, and how it is undone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hadeb.lab.fault import daemon, network, node, package, rollout
from hadeb.lab.scenario.stage import Stage


def _nothing(_: Stage) -> None:
    """Nothing has to be undone."""


def _never(_: Stage) -> str:
    """The fault can be injected into every bundle."""
    return ""


@dataclass(frozen=True, slots=True)
class Action:
    """What is done for a fault.

    `obstacle` returns why the fault cannot be injected into this bundle, or nothing if it can.
    """

    inject: Callable[[Stage], None]
    undo: Callable[[Stage], None] = _nothing
    obstacle: Callable[[Stage], str] = _never


# By the fault's name.
ACTIONS: Mapping[str, Action] = {
    "upgrade": Action(rollout.upgrade, rollout.end, rollout.no_previous),
    "daemon-killed": Action(daemon.kill, obstacle=daemon.no_daemon),
    "daemon-hung": Action(daemon.hang, obstacle=daemon.no_daemon),
    "daemon-crash-loop": Action(daemon.crash_loop, daemon.end_crash_loop, daemon.no_daemon),
    "unit-stopped": Action(daemon.stop_unit, obstacle=daemon.no_unit),
    "start-fails": Action(daemon.break_start, daemon.mend_start, daemon.no_agent_file),
    "descriptors-gone": Action(daemon.take_descriptors, obstacle=daemon.no_daemon),
    "processes-gone": Action(daemon.take_processes, obstacle=daemon.no_daemon),
    "run-full": Action(node.fill_run, node.empty_run, daemon.no_daemon),
    "disk-full": Action(node.fill_disk, node.empty_disk, daemon.no_daemon),
    "standby": Action(node.standby),
    "maintenance": Action(node.maintenance, node.end_maintenance),
    "address-removed": Action(node.remove_address, obstacle=node.no_address),
    "package-upgraded": Action(package.upgrade, package.downgrade),
    "package-removed": Action(package.remove, obstacle=package.unguarded),
    "upgrade-killed": Action(package.kill_upgrade, package.downgrade),
    "network-slow": Action(network.slow, network.mend_slow),
    "network-lossy": Action(network.lose, network.mend_filter),
    "network-cut": Action(network.cut, network.mend_cut),
    "network-split": Action(network.split, network.mend_filter),
    "node-power-cut": Action(node.cut_power),
    "node-frozen": Action(node.freeze, node.thaw),
    "node-rebooted": Action(node.shut_down),
    "pacemaker-killed": Action(node.kill_pacemaker),
    "corosync-killed": Action(node.kill_corosync),
    "controller-killed": Action(node.kill_controller),
    "cluster-restarted": Action(node.restart_cluster),
    "downgrade": Action(rollout.downgrade, rollout.end, rollout.no_previous),
}
