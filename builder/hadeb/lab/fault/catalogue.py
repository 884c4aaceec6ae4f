# SPDX-License-Identifier: Apache-2.0
"""The faults of the lab: what each one does to a cluster, and what the service must do. Pure.

How a fault is injected is in `actions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hadeb.errors import UsageError

# unfelt: no client notices, and the service stays where it is. returns: it answers again, from any
# node. moves: it answers again, from another node.
Expected = Literal["unfelt", "returns", "moves"]
EXPECTED: dict[Expected, str] = {
    "unfelt": "no connection is lost, and the service stays on its node",
    "returns": "the service answers again",
    "moves": "the service answers again, from another node",
}

_NO_DAEMON = "nothing listens where the service answers"
_NO_UNIT = "the daemon is in no unit of its own"
_NO_AGENT_FILE = "the agent is no OCF agent, so there is no file to break"
_NO_ADDRESS = "there is no virtual address"
_ONE_VERSION = "`--from` names no earlier version"
_UNGUARDED = "the package has no service that its removal could hurt"


Action = Literal["monitor", "start", "stop", "promote", "demote", "probe"]
_EVERY: tuple[Action, ...] = ("monitor", "start", "stop", "promote", "demote", "probe")


@dataclass(frozen=True, slots=True)
class Effects:
    """What a fault itself brings about on the affected node, for which no bundle is to blame.

    `fails` are the actions that may fail there: of the `service` alone, or of all resources.
    `counts` is how often one recurring action may fail by it, 0 for any number. `fences` is the
    node that the cluster may fence for it; with two nodes that is either one, since each half of a
    split cluster has quorum.
    """

    fails: tuple[Action, ...] = ()
    of: Literal["service", "all"] = "service"
    counts: int = 1
    fences: Literal["none", "node", "coordinator", "any"] = "none"


NOTHING = Effects()
_ENDS = Effects(("monitor",))
_NO_ROOM = Effects(("monitor", "start"), of="all", counts=0)
_SLOWS = Effects(("monitor",), of="all", counts=0, fences="node")
_LOSES_NODE = Effects(_EVERY, of="all", counts=0, fences="node")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the lab does to a cluster.

    `did` describes it, with {node} for the affected node. `unless` describes the bundles that it
    does not apply to, and is empty if there are none. `dwell` is how long to wait for a client to
    notice, and `deadline` how long the service may take to answer again, in seconds. Whatever
    fails or is fenced beyond its `effects` is a shortfall.
    """

    name: str
    did: str
    expected: Expected
    unless: str = ""
    dwell: float = 2.0
    deadline: float = 60.0
    smoke: bool = False
    effects: Effects = NOTHING


# The faults that need an earlier version of the package. A run that has one begins with it, goes up
# first, tries the other faults on the bundle's own version, and goes down last.
UPGRADE, DOWNGRADE = "upgrade", "downgrade"
TWO_VERSIONS = (UPGRADE, DOWNGRADE)

FAULTS: tuple[Fault, ...] = (
    Fault(
        UPGRADE,
        "the bundle's version replaced the earlier one, node by node, {node} last",
        "returns",
        unless=_ONE_VERSION,
        deadline=180,
    ),
    Fault(
        "daemon-killed",
        "the daemon on {node} got SIGKILL",
        "returns",
        unless=_NO_DAEMON,
        smoke=True,
        effects=_ENDS,
    ),
    Fault(
        "daemon-hung",
        "the daemon on {node} got SIGSTOP",
        "returns",
        unless=_NO_DAEMON,
        deadline=90,
        effects=_ENDS,
    ),
    Fault(
        "daemon-crash-loop",
        "the daemon on {node} was killed every time it came back, with migration-threshold=3",
        "moves",
        unless=_NO_DAEMON,
        deadline=90,
        effects=Effects(("monitor", "start"), counts=0),
    ),
    Fault(
        "unit-stopped",
        "the daemon's unit was stopped by hand on {node}",
        "returns",
        unless=_NO_UNIT,
        effects=_ENDS,
    ),
    Fault(
        "start-fails",
        "the daemon on {node} was killed, and its agent cannot start it there again",
        "moves",
        unless=_NO_AGENT_FILE,
        effects=Effects(("monitor", "start")),
    ),
    Fault(
        "descriptors-gone",
        "the daemon on {node} could open no more files",
        "returns",
        unless=_NO_DAEMON,
        deadline=90,
        effects=_ENDS,
    ),
    Fault(
        "processes-gone",
        "the daemon on {node} could start no more processes",
        "returns",
        unless=_NO_DAEMON,
        effects=_ENDS,
    ),
    Fault(
        "run-full",
        "/run on {node} was filled, then the daemon was killed",
        "returns",
        unless=_NO_DAEMON,
        effects=_NO_ROOM,
    ),
    Fault(
        "disk-full",
        "the disk of {node} was filled, then the daemon was killed",
        "returns",
        unless=_NO_DAEMON,
        effects=_NO_ROOM,
    ),
    Fault(
        "standby",
        "pcs node standby {node}",
        "moves",
        smoke=True,
    ),
    Fault(
        "maintenance",
        "the cluster was put into maintenance, and taken out of it",
        "unfelt",
    ),
    Fault(
        "address-removed",
        "the virtual address was removed by hand on {node}",
        "returns",
        unless=_NO_ADDRESS,
        effects=Effects(("monitor",), of="all"),
    ),
    Fault(
        "package-upgraded",
        "the package was upgraded on every node",
        "unfelt",
        smoke=True,
    ),
    Fault(
        "package-removed",
        "an attempt was made to remove the package on {node}",
        "unfelt",
        unless=_UNGUARDED,
        smoke=True,
    ),
    Fault(
        "upgrade-killed",
        "dpkg was killed half-way through an upgrade on {node}, and the upgrade was then finished",
        "unfelt",
    ),
    Fault(
        "network-slow",
        "the network of {node} was limited to half a megabit per second for 8 s",
        "returns",
        dwell=1,
        effects=_SLOWS,
    ),
    Fault(
        "network-lossy",
        "one in ten packets from {node} was lost for 8 s",
        "returns",
        dwell=1,
        effects=_SLOWS,
    ),
    Fault(
        "network-cut",
        "the network cable of {node} was pulled",
        "moves",
        effects=_LOSES_NODE,
    ),
    Fault(
        "network-split",
        "{node} could not reach the other nodes, while clients reached all of them",
        "moves",
        effects=_LOSES_NODE,
    ),
    Fault(
        "node-power-cut",
        "the power of {node} was cut",
        "moves",
        smoke=True,
        effects=_LOSES_NODE,
    ),
    Fault(
        "node-frozen",
        "{node} was frozen, like a machine that gets no CPU time",
        "moves",
        effects=_LOSES_NODE,
    ),
    Fault(
        "node-rebooted",
        "{node} was shut down cleanly",
        "moves",
    ),
    Fault(
        "pacemaker-killed",
        "pacemakerd on {node} got SIGKILL",
        "returns",
        dwell=10,
        effects=Effects(fences="node"),
    ),
    Fault(
        "corosync-killed",
        "corosync on {node} got SIGKILL",
        "returns",
        dwell=10,
        effects=_LOSES_NODE,
    ),
    Fault(
        "controller-killed",
        "the controller of the designated coordinator got SIGKILL",
        "returns",
        dwell=10,
        effects=Effects(fences="coordinator"),
    ),
    Fault(
        "cluster-restarted",
        "Pacemaker and corosync were stopped on all nodes, and started again",
        "returns",
        deadline=120,
        effects=Effects(fences="any"),
    ),
    Fault(
        DOWNGRADE,
        "the earlier version replaced the bundle's, node by node, {node} last",
        "returns",
        unless=_ONE_VERSION,
        deadline=180,
    ),
)
SMOKE = tuple(fault.name for fault in FAULTS if fault.smoke)


def chosen(names: tuple[str, ...], *, two_versions: bool = False) -> tuple[Fault, ...]:
    """The faults of these names, in the lab's order; all if there are no names.

    `two_versions` says whether there is an earlier version to go up from. Raises UsageError.
    """
    known = {fault.name for fault in FAULTS}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"there is no fault {', '.join(unknown)}", hint=f"there are {', '.join(sorted(known))}"
        )
    needy = [name for name in names if name in TWO_VERSIONS]
    if needy and not two_versions:
        raise UsageError(
            f"{' and '.join(needy)}: there is no earlier version",
            hint="name the earlier version's file: --from OLD.deb",
        )
    wanted = set(names) or (known if two_versions else known.difference(TWO_VERSIONS))
    return tuple(fault for fault in FAULTS if fault.name in wanted)
