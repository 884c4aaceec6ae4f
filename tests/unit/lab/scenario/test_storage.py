# SPDX-License-Identifier: Apache-2.0
"""A manifest's own storage runs in the lab, on a directory that all nodes have."""

from __future__ import annotations

import pytest

from hadeb.lab.scenario.storage import on_shared_storage
from hadeb.manifest.cluster import ClusterTable, ResourceTable


def filesystem(device: str, fstype: str, **more: str) -> ResourceTable:
    parameters = {"device": device, "directory": "/srv/store", "fstype": fstype} | more
    return ResourceTable(name="FS", agent="ocf:heartbeat:Filesystem", parameters=parameters)


@pytest.mark.parametrize(
    ("device", "fstype"),
    [
        ("/dev/drbd0", "ext4"),
        ("/dev/vg/store", "xfs"),
        ("-LSTORE", "ext4"),
        ("filer.example.org:/store", "nfs4"),
        ("//filer/store", "cifs"),
    ],
)
def test_a_shared_device_is_a_directory_of_all_nodes(device: str, fstype: str) -> None:
    resource = filesystem(device, fstype, options="noatime", run_fsck="no")
    storage = on_shared_storage(ClusterTable(resource=(resource,)))
    assert storage.table.resource[0].parameters == {
        "device": "/run/lab-shared/FS",
        "directory": "/srv/store",
        "fstype": "none",
        "options": "bind",
        "run_fsck": "no",
        "force_unmount": "safe",
    }
    assert storage.notes == (f"FS: a directory of all nodes stands for {device}, at /srv/store",)
    assert "cp -a /srv/store /run/lab-shared/FS" in storage.script


@pytest.mark.parametrize(
    "resource",
    [
        filesystem("tmpfs", "tmpfs"),
        filesystem("/srv/here", "none", options="bind"),
        filesystem("/srv/here", "ext4", options="rw,rbind"),
        ResourceTable(name="A", agent="ocf:heartbeat:apache", parameters={"directory": "/srv"}),
    ],
)
def test_what_a_node_has_itself_stays_as_it_is(resource: ResourceTable) -> None:
    storage = on_shared_storage(ClusterTable(resource=(resource,)))
    assert storage.table.resource == (resource,)
    assert (storage.script, storage.notes) == ("", ())


def test_a_device_that_no_container_has_is_played() -> None:
    drbd = ResourceTable(
        name="DRBD",
        agent="ocf:linbit:drbd",
        parameters={"drbd_resource": "store"},
        copies="promotable",
        clone_meta={"notify": "true"},
    )
    storage = on_shared_storage(ClusterTable(resource=(drbd,)))
    (played,) = storage.table.resource
    assert (played.agent, played.parameters) == ("ocf:pacemaker:Stateful", {})
    assert (played.copies, played.clone_meta) == (drbd.copies, drbd.clone_meta)
    assert storage.notes == ("DRBD: ocf:pacemaker:Stateful stands for ocf:linbit:drbd",)
