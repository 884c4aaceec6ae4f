# SPDX-License-Identifier: Apache-2.0
"""The state of a cluster, from `crm_mon --one-shot --output-as=xml` (crm_mon(8)). Pure.

Pacemaker 2.1 (Debian 12) and 3.0 (Debian 13) name some things differently: both are understood.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.errors import HadebError

CRM_MON = ("crm_mon", "--one-shot", "--output-as=xml")
# What Pacemaker counts as infinity in a fail count.
INFINITY = 1_000_000
_PROMOTED = {"Promoted", "Master"}


@dataclass(frozen=True, slots=True)
class Member:
    """A node as the cluster sees it; `pending` while it joins."""

    name: str
    online: bool
    pending: bool
    standby: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """A resource, or one instance of a cloned one, with the nodes it is active on.

    `clone` is the name of the clone it belongs to, empty if it is no clone's; `promotable` says
    whether that clone has roles. `blocked` means that the cluster has given the instance up, and
    `orphaned` that it still knows it although the configuration does not.
    """

    resource: str
    role: str
    nodes: tuple[str, ...]
    blocked: bool
    clone: str = ""
    promotable: bool = False
    orphaned: bool = False

    @property
    def promoted(self) -> bool:
        """Whether it runs in the promoted role."""
        return self.role in _PROMOTED


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation that failed and has not been cleaned up; `key` is RESOURCE_ACTION_INTERVAL."""

    key: str
    node: str
    status: str
    reason: str

    def __str__(self) -> str:
        sentence = f"{self.key} on {self.node}: {self.status}"
        return f"{sentence} ({self.reason})" if self.reason else sentence


@dataclass(frozen=True, slots=True)
class FailCount:
    """How many failures of a resource the cluster has counted on one node."""

    resource: str
    node: str
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """What crm_mon reports. `coordinator` is the designated coordinator, empty while there is none.

    The default is what a node reports whose Pacemaker is not up: nothing.
    """

    coordinator: str = ""
    has_quorum: bool = False
    members: tuple[Member, ...] = ()
    instances: tuple[Instance, ...] = ()
    failures: tuple[Failure, ...] = ()
    fail_counts: tuple[FailCount, ...] = ()

    @property
    def online(self) -> frozenset[str]:
        """The nodes that are full members; none without a quorum."""
        if not self.has_quorum:
            return frozenset()
        return frozenset(node.name for node in self.members if node.online and not node.pending)

    @property
    def standbys(self) -> list[str]:
        """The nodes that are on standby."""
        return [node.name for node in self.members if node.standby]

    @property
    def blocked(self) -> list[str]:
        """The resources that the cluster has given up, for example after a failed stop."""
        return sorted({instance.resource for instance in self.instances if instance.blocked})

    @property
    def orphans(self) -> list[str]:
        """The resources that are active without being configured."""
        orphans = (instance for instance in self.instances if instance.orphaned)
        return sorted({instance.resource for instance in orphans if instance.nodes})

    def location(self, resource: str) -> str | None:
        """The node that runs a resource, or has it promoted; None if no node does.

        Of a clone without roles it is the first node; a promotable clone is nowhere while none of
        its instances is promoted. Raises HadebError where two nodes run what may run once.
        """
        active = [
            (node, instance)
            for instance in self.instances
            if instance.resource == resource and instance.role != "Stopped"
            for node in instance.nodes
        ]
        promoted = [node for node, instance in active if instance.promoted]
        running = promoted or [node for node, _ in active]
        clones = [each for each in self.instances if each.resource == resource and each.clone]
        if clones:
            # Clients use the promoted instance: without one there is none to use.
            has_roles = any(instance.promotable for instance in clones)
            running = (promoted if has_roles else running)[:1]
        if len(running) > 1:
            raise HadebError(f"{resource} runs on {' and '.join(sorted(running))}")
        return running[0] if running else None

    def fail_count(self, resource: str) -> int:
        """How many failures of a resource the cluster has counted, on all nodes together."""
        return sum(failed.count for failed in self.fail_counts if failed.resource == resource)


def parse_status(xml: str) -> Status:
    """The status in crm_mon's output; an empty one where that is no XML, as from a node going down.

    Unknown elements are ignored.
    """
    try:
        root = ET.fromstring(xml)
    except ET.ParseError:
        return Status()
    coordinator = root.find("summary/current_dc")
    return Status(
        coordinator="" if coordinator is None else coordinator.get("name", ""),
        has_quorum=coordinator is not None and coordinator.get("with_quorum") == "true",
        members=tuple(
            Member(
                name=node.attrib["name"],
                online=node.get("online") == "true",
                pending=node.get("pending") == "true",
                standby=node.get("standby") == "true",
            )
            for node in root.iterfind("nodes/node")
        ),
        instances=tuple(_instances(root)),
        failures=tuple(
            Failure(
                key=failure.get("op_key", ""),
                node=failure.get("node", ""),
                status=failure.get("exitstatus", ""),
                reason=failure.get("exitreason", ""),
            )
            for failure in root.iterfind("failures/failure")
        ),
        fail_counts=tuple(
            FailCount(
                resource=history.attrib["id"],
                node=node.get("name", ""),
                count=int(history.get("fail-count", "0").replace("INFINITY", str(INFINITY))),
            )
            for node in root.iterfind("node_history/node")
            for history in node.iterfind("resource_history")
        ),
    )


def _instances(root: ET.Element) -> Iterator[Instance]:
    clone_of = {
        resource: clone for clone in root.iter("clone") for resource in clone.iter("resource")
    }
    for resource in root.iter("resource"):
        clone = clone_of.get(resource)
        yield Instance(
            resource=resource.attrib["id"],
            role=resource.get("role", ""),
            nodes=tuple(node.attrib["name"] for node in resource.iter("node")),
            blocked=resource.get("blocked") == "true",
            orphaned="true" in {resource.get("orphaned"), resource.get("removed")},
            clone="" if clone is None else clone.get("id", ""),
            promotable=clone is not None and clone.get("multi_state") == "true",
        )
