# SPDX-License-Identifier: Apache-2.0
"""A full disk and an unwritable directory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.package.build import build
from hadeb.package.model import File, Package
from support.command import HADEB, run_hadeb


def package(content: bytes, version: str = "1.0") -> Package:
    control = (("Package", "greeter"), ("Version", version), ("Architecture", "all"))
    return Package(control, (File("usr/share/greeter/x", content),), (), (), timestamp=0)


@pytest.fixture
def tiny_disk(as_root: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-o", "size=64k,mode=0755"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_leaves_the_old_package_and_no_part(tiny_disk: Path) -> None:
    (old,) = build([package(b"old")], tiny_disk)
    before = old.path.read_bytes()
    bundles = [package(os.urandom(10_000), "0.9"), package(os.urandom(200_000))]
    with pytest.raises(HadebError, match="No space left on device") as caught:
        build(bundles, tiny_disk)
    assert caught.value.exit_code == 1
    assert caught.value.hint
    assert [path.name for path in tiny_disk.iterdir()] == ["greeter_1.0_all.deb"]
    assert old.path.read_bytes() == before


def test_a_full_disk_ends_the_command_with_a_sentence(tiny_disk: Path, bundle: Path) -> None:
    (tiny_disk / "filler").write_bytes(bytes(1 << 16))
    call = run_hadeb("build", "--output", tiny_disk, directory=bundle)
    assert (call.code, call.stdout) == (1, "")
    assert call.stderr.startswith(f"error: cannot write to {tiny_disk}: No space left on device\n")
    assert [path.name for path in tiny_disk.iterdir()] == ["filler"]


def test_an_unwritable_directory_is_reported(as_root: None, bundle: Path) -> None:
    dist = bundle / "dist"
    dist.mkdir()
    dist.chmod(0o555)
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    call = run_hadeb("build", directory=bundle, command=(*powerless, *HADEB))
    assert (call.code, call.stdout) == (1, "")
    assert call.stderr.startswith("error: cannot write to dist: Permission denied\n")
    assert not list(dist.iterdir())
