# SPDX-License-Identifier: Apache-2.0
"""Writing packages: all of them or none, whole, and readable by apt."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.package import build as build_module
from hadeb.package.build import build
from hadeb.package.model import File, Package
from support.command import ROOT, call_hadeb


def package(content: bytes, version: str = "1.0") -> Package:
    control = (("Package", "greeter"), ("Version", version), ("Architecture", "all"))
    return Package(control, (File("usr/share/greeter/x", content),), (), (), timestamp=0)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_apt_can_read_the_package_whatever_the_umask_is(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        (receipt,) = build([package(b"x")], tmp_path)
    finally:
        os.umask(before)
    assert receipt.path.stat().st_mode & 0o777 == 0o644


def test_a_file_where_the_directory_should_be_is_reported(bundle: Path) -> None:
    (bundle / "dist").touch()
    call = call_hadeb("build", directory=bundle)
    assert (call.code, call.stdout) == (2, "")
    assert "dist" in call.stderr


def test_a_directory_of_the_packages_name_is_reported_and_nothing_is_left(bundle: Path) -> None:
    (bundle / "dist/greeter_1.0_all.deb").mkdir(parents=True)
    call = call_hadeb("build", directory=bundle)
    assert (call.code, call.stdout) == (1, "")
    said = "error: dist/greeter_1.0_all.deb is a directory\nhint: remove it, or name another"
    assert call.stderr.startswith(said)
    assert [path.name for path in (bundle / "dist").iterdir()] == ["greeter_1.0_all.deb"]


def test_a_failure_at_the_second_package_leaves_none_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(made: Package) -> bytes:
        if made.version == "2.0":
            raise OSError(5, "Input/output error")
        return b"deb"

    monkeypatch.setattr(build_module, "write", fails)
    with pytest.raises(HadebError, match="Input/output error"):
        build([package(b"a"), package(b"b", "2.0")], tmp_path)
    assert not list(tmp_path.iterdir())


def test_receipts_come_in_the_order_asked_for_though_a_later_package_is_written_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_is_written = threading.Event()

    def waits(made: Package) -> bytes:
        if made.version == "1.0":
            assert second_is_written.wait(20)
        else:
            second_is_written.set()
        return made.version.encode()

    monkeypatch.setattr(build_module, "write", waits)
    receipts = build([package(b"a", "1.0"), package(b"b", "2.0")], tmp_path)
    assert [receipt.version for receipt in receipts] == ["1.0", "2.0"]
    assert [receipt.path.read_bytes() for receipt in receipts] == [b"1.0", b"2.0"]


def test_control_c_among_many_packages_ends_soon_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Package] = []

    def interrupts(made: Package) -> bytes:
        begun.append(made)
        if len(begun) == 1:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.01)
        return b"deb"

    monkeypatch.setattr(build_module, "write", interrupts)
    with pytest.raises(KeyboardInterrupt):
        build([package(b"x", f"1.{number}") for number in range(1000)], tmp_path)
    assert len(begun) < 1000
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_build_go_and_nothing_else_does(bundle: Path) -> None:
    dist = bundle / "dist"
    dist.mkdir()
    foreign = {"notes.part", ".hidden", "other_1.0_all.deb", ".greeter_1.0_all.deb.swp"}
    for name in (*foreign, ".greeter_0.9_all.deb.abc123.part"):
        (dist / name).touch()
    assert call_hadeb("build", directory=bundle).code == 0
    assert {path.name for path in dist.iterdir()} == {*foreign, "greeter_1.0_all.deb"}


def test_a_build_leaves_the_sources_alone(bundle: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")}
    assert call_hadeb("build", "--output", bundle.parent / "dist", directory=bundle).code == 0
    assert {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")} == before


def test_no_build_of_the_tests_wrote_into_the_repository() -> None:
    assert not list((ROOT / "tests/manifests").rglob("dist"))
