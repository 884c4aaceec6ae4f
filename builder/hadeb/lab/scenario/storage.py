# SPDX-License-Identifier: Apache-2.0
"""The storage that nodes share, as the lab can have it. Pure.

A container mounts no block device and no export. The lab has one directory that is on every node,
and mounts it where the manifest mounts a SAN, a DRBD device or an export: the order, the colocation
and the paths are tried, the replication below them is not.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.lab.node.shared import SHARED
from hadeb.manifest.cluster import ClusterTable, ResourceTable
from hadeb.package.state import shared_directory

# Agents that make a device available, which no container can, and what has the same roles.
_DEVICES = {
    "ocf:linbit:drbd": "ocf:pacemaker:Stateful",
    **dict.fromkeys(
        (
            *("ocf:heartbeat:LVM", "ocf:heartbeat:LVM-activate", "ocf:heartbeat:iscsi"),
            *("ocf:heartbeat:mdraid", "ocf:heartbeat:Raid1", "ocf:heartbeat:mpathpersist"),
            *("ocf:heartbeat:AoEtarget", "ocf:heartbeat:sg_persist", "ocf:heartbeat:crypt"),
        ),
        "ocf:pacemaker:Dummy",
    ),
}


@dataclass(frozen=True, slots=True)
class Storage:
    """A cluster on the lab's storage: `mounts` has the directory by the resource that mounts it.

    `notes` say what stands for what, a sentence each.
    """

    table: ClusterTable
    mounts: dict[str, str]
    notes: tuple[str, ...]

    @property
    def script(self) -> str:
        """A shell script for each node, which gives the storage the content of its directory.

        That is what an operator does who moves a daemon's data to shared storage.
        """
        # The agent wants it, and a container loads no modules.
        lines = ["command -v modprobe >/dev/null || ln -sf /bin/true /usr/sbin/modprobe"]
        for name, directory in self.mounts.items():
            shared, place = shlex.quote(f"{SHARED}/{name}"), shlex.quote(directory)
            lines += [
                f"if [ ! -e {shared} ]; then",
                f"    if [ -d {place} ]; then cp -a {place} {shared}; else mkdir {shared}; fi",
                "fi",
                f"mkdir -p {place}",
            ]
        return "\n".join(["set -eu", *lines]) if self.mounts else ""


def on_shared_storage(table: ClusterTable) -> Storage:
    """The cluster with what the lab has in place of devices and exports."""
    resources = tuple(map(_mapped, table.resource))
    mounts = {each.name: path for each in table.resource if (path := shared_directory(each))}
    return Storage(
        dataclasses.replace(table, resource=resources), mounts, tuple(_notes(table.resource))
    )


def _mapped(resource: ResourceTable) -> ResourceTable:
    if shared_directory(resource):
        own = {"device": f"{SHARED}/{resource.name}", "fstype": "none", "options": "bind"}
        # All storage is one filesystem here: a stop must not kill what uses another part of it.
        parameters = {"force_unmount": "safe", **resource.parameters, **own}
        return dataclasses.replace(resource, parameters=parameters)
    if agent := _DEVICES.get(resource.agent):
        return dataclasses.replace(resource, agent=agent, parameters={})
    return resource


def _notes(resources: tuple[ResourceTable, ...]) -> Iterator[str]:
    for resource in resources:
        if path := shared_directory(resource):
            device = resource.parameters.get("device", "its device")
            yield f"{resource.name}: a directory of all nodes stands for {device}, at {path}"
        elif agent := _DEVICES.get(resource.agent):
            yield f"{resource.name}: {agent} stands for {resource.agent}"
