# SPDX-License-Identifier: Apache-2.0
"""The lab's storage begins as what the package made."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hadeb.lab.scenario.storage import on_shared_storage
from hadeb.manifest.cluster import ClusterTable, ResourceTable


def test_the_storage_begins_as_what_the_package_made(tmp_path: Path) -> None:
    place = tmp_path / "a store"
    place.mkdir(mode=0o750)
    (place / "first").write_text("made by the package")
    resource = ResourceTable(
        name="FS",
        agent="ocf:heartbeat:Filesystem",
        parameters={"device": "/dev/drbd0", "directory": str(place), "fstype": "ext4"},
    )
    storage = on_shared_storage(ClusterTable(resource=(resource,)))
    script = storage.script.replace("/run/lab-shared", str(tmp_path))
    script = script.replace("/usr/sbin/modprobe", str(tmp_path / "modprobe"))
    for _ in range(2):
        subprocess.run(["sh", "-c", script], check=True)
    copy = tmp_path / "FS"
    assert (copy / "first").read_text() == "made by the package"
    assert copy.stat().st_mode & 0o777 == 0o750
    (place / "later").touch()
    assert not (copy / "later").exists()
