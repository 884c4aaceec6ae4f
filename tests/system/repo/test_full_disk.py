# SPDX-License-Identifier: Apache-2.0
"""A full disk or a read-only pool is an error and leaves the suite unchanged."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from support.command import Outcome
from support.repo import inspection
from support.repo.publisher import Publisher
from support.repo.refusal import refused, unchanged


def publish(
    publisher: Publisher, root: Path, *arguments: str | Path, **environment: str
) -> Outcome:
    return publisher.hadeb(
        *("publish", *arguments, "--repo", root, "--suite", "staging"), environment=environment
    )


def test_a_full_disk_is_an_error_and_leaves_the_suite_as_it_was(
    as_root: None, publisher: Publisher, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        root = disk / "repository"
        publisher.publish(root, publisher.deb("hello", "1.0"))
        with unchanged(root):
            done = publish(publisher, root, publisher.deb("large", "1.0", size=2 << 20))
            refused(done, os.strerror(errno.ENOSPC))
        publisher.publish(root, publisher.deb("world", "1.0"))
        assert inspection.leftovers(root) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("part", ["pool", "."])
def test_a_read_only_pool_is_an_error_and_leaves_the_suite_as_it_was(
    part: str, as_root: None, publisher: Publisher, root: Path
) -> None:
    place = root / part
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        with unchanged(root):
            done = publish(publisher, root, publisher.deb("world", "1.0"))
            refused(done, os.strerror(errno.EROFS))
    finally:
        subprocess.run(["umount", place], check=True)
    assert publish(publisher, root, publisher.deb("world", "1.0")).code == 0
    assert inspection.leftovers(root) == []
