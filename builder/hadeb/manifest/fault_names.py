# SPDX-License-Identifier: Apache-2.0
"""The names of the lab's faults, which `max-outage` has as keys. Pure.

`hadeb.lab.fault.catalogue` has what each fault does; a test compares the two.
"""

from __future__ import annotations

FAULT_NAMES = (
    "upgrade",
    *("daemon-killed", "daemon-hung", "daemon-crash-loop", "unit-stopped", "start-fails"),
    *("descriptors-gone", "processes-gone", "run-full", "disk-full", "standby", "maintenance"),
    *("address-removed", "package-upgraded", "package-removed", "upgrade-killed"),
    *("network-slow", "network-lossy", "network-cut", "network-split", "node-power-cut"),
    *("node-frozen", "node-rebooted", "pacemaker-killed", "corosync-killed", "controller-killed"),
    *("cluster-restarted", "downgrade"),
)
