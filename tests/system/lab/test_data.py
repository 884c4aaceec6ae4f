# SPDX-License-Identifier: Apache-2.0
"""Data on a node's own disk is lost when the service moves, and the report says so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from support.command import ROOT, call_hadeb

pytestmark = pytest.mark.usefixtures("as_root")

KEEPER = ROOT / "tests/bundles/keeper"
# The resource that mounts shared storage, and the constraints with it.
SHARED = re.compile(
    r"^\[\[cluster\.[a-z]+\]\]\n(?:[a-z].*\n)*?.*KEEPER-FS.*\n(?:[a-z].*\n)*", re.MULTILINE
)


def on_local_disks(directory: Path) -> Path:
    """The same bundle without its storage."""
    bundle = directory / "keeper"
    shutil.copytree(KEEPER, bundle)
    manifest = bundle / "bundle.toml"
    text, count = SHARED.subn("", manifest.read_text(encoding="utf-8"))
    assert count == 4
    follow = '[[cluster.colocation]]\nresource = "KEEPER"\nwith = "KEEPER-IP"\n\n[cluster.answer]'
    manifest.write_text(text.replace("[cluster.answer]", follow), encoding="utf-8")
    return bundle


def test_data_on_a_nodes_own_disk_does_not_move_and_the_report_says_what_was_lost(
    tmp_path: Path,
) -> None:
    bundle = on_local_disks(tmp_path)
    argv = ("lab", "run", "-m", bundle, "--nodes", "2", "-o", tmp_path / "report", "standby")
    done = call_hadeb(*argv, directory=tmp_path)
    assert done.code == 4, done.stdout + done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    (trial,) = [each for each in report["runs"][0]["trials"] if each["fault"] == "standby"]
    (lost, *_) = trial["shortfalls"]
    assert re.fullmatch(
        r"the value written \d\.\d s before the fault, acknowledged, is gone after it: the read "
        "answers 'nothing'",
        lost,
    )
    stays = "/var/lib/keeper of KEEPER stays on its node: it does not move with the service"
    assert report["data"] == [stays]
    assert "data: 0 of 1 values kept" in " ".join(done.stdout.split())


def test_data_on_shared_storage_moves_with_the_service_and_with_a_sites_addresses(
    tmp_path: Path,
) -> None:
    argv = ("lab", "run", "-m", KEEPER, "--nodes", "2", "-o", tmp_path / "report", "standby")
    done = call_hadeb(*argv, directory=tmp_path)
    assert done.code == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    assert [len(trial["readings"]) for trial in report["runs"][0]["trials"]] == [0, 2]
    assert report["mapped"] == [
        "KEEPER-IP: bond0 is an interface of each node on the lab's one network",
        "KEEPER-IP: 10.1.2.3 is reached in 10.1.0.0/16, where the lab's nodes and clients have "
        "addresses",
        "KEEPER-FS: a directory of all nodes stands for /dev/san/keeper, at "
        "/var/lib/private/keeper",
    ]
