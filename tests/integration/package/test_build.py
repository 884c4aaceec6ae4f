# SPDX-License-Identifier: Apache-2.0
"""Writing to disk: the old file or the new, never a part, whatever ends the build."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.package import build as build_module
from hadeb.package.build import build
from hadeb.package.model import File, Package
from support.command import ENVIRONMENT, HADEB, ROOT, call_hadeb, run_hadeb


def package(content: bytes, version: str = "1.0") -> Package:
    control = (("Package", "greeter"), ("Version", version), ("Architecture", "all"))
    return Package(control, (File("usr/share/greeter/x", content),), (), (), timestamp=0)


def is_whole(deb: Path) -> bool:
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=False, capture_output=True)
    return done.returncode == 0 and done.stderr == b""


@pytest.fixture
def tiny_disk(as_root: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-o", "size=64k,mode=0755"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_receipt_says_what_is_on_the_disk(tmp_path: Path) -> None:
    (receipt,) = build([package(b"x")], tmp_path / "a/b/dist")
    assert receipt.path == tmp_path / "a/b/dist/greeter_1.0_all.deb"
    assert receipt.size == receipt.path.stat().st_size
    summed = subprocess.run(["sha256sum", receipt.path], check=True, capture_output=True, text=True)
    assert receipt.sha256 == summed.stdout.split()[0]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_apt_can_read_the_package_whatever_the_umask_is(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        (receipt,) = build([package(b"x")], tmp_path)
    finally:
        os.umask(before)
    assert receipt.path.stat().st_mode & 0o777 == 0o644


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


def test_a_directory_that_may_not_be_written_is_told(as_root: None, bundle: Path) -> None:
    dist = bundle / "dist"
    dist.mkdir()
    dist.chmod(0o555)
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    call = run_hadeb("build", directory=bundle, command=(*powerless, *HADEB))
    assert (call.code, call.stdout) == (1, "")
    assert call.stderr.startswith("error: cannot write to dist: Permission denied\n")
    assert not list(dist.iterdir())


def test_a_file_where_the_directory_should_be_is_told(bundle: Path) -> None:
    (bundle / "dist").touch()
    call = call_hadeb("build", directory=bundle)
    assert (call.code, call.stdout) == (2, "")
    assert "dist" in call.stderr


def test_a_directory_of_the_packages_name_is_told_and_nothing_is_left(bundle: Path) -> None:
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


# Writes one package and another in turn until it is killed; their bytes come from files, so that
# next to all of its time goes into writing.
WRITES_FOREVER = """
import sys
from pathlib import Path
from hadeb.package import build
from hadeb.package.model import Package
contents = [Path(path).read_bytes() for path in sys.argv[2:]]
build.write = lambda package: contents[package.timestamp]
control = (("Package", "greeter"), ("Version", "1.0"), ("Architecture", "all"))
packages = [Package(control, (), (), (), timestamp=number) for number in (0, 1)]
print("ready", flush=True)
while True:
    for package in packages:
        build.build([package], Path(sys.argv[1]))
"""


def test_sigkill_leaves_the_old_package_or_the_new_and_the_next_build_cleans_up(
    tmp_path: Path,
) -> None:
    dist = tmp_path / "dist"
    deb = dist / "greeter_1.0_all.deb"
    dist.mkdir()
    contents = [os.urandom(4_000_000), os.urandom(5_000_000)]
    files = [tmp_path / "a", tmp_path / "b"]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    deb.write_bytes(contents[0])
    chance = random.Random(5)
    interrupted = 0
    for _ in range(20):
        argv = [sys.executable, "-c", WRITES_FOREVER, str(dist), *map(str, files)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert deb.read_bytes() in contents
        interrupted += len(list(dist.iterdir())) > 1
    assert interrupted, "no kill came while a file was written"
    build([package(b"x")], dist)
    assert [path.name for path in dist.iterdir()] == [deb.name]
    assert is_whole(deb)


def test_leftovers_of_a_killed_build_go_and_nothing_else_does(bundle: Path) -> None:
    dist = bundle / "dist"
    dist.mkdir()
    foreign = {"notes.part", ".hidden", "other_1.0_all.deb", ".greeter_1.0_all.deb.swp"}
    for name in (*foreign, ".greeter_0.9_all.deb.abc123.part"):
        (dist / name).touch()
    assert call_hadeb("build", directory=bundle).code == 0
    assert {path.name for path in dist.iterdir()} == {*foreign, "greeter_1.0_all.deb"}


def test_a_build_waits_for_another_into_the_same_directory(bundle: Path) -> None:
    dist = bundle / "dist"
    dist.mkdir()
    part = dist / ".greeter_1.0_all.deb.abc123.part"
    part.touch()
    descriptor = os.open(dist, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with subprocess.Popen([*HADEB, "build"], cwd=bundle, env=ENVIRONMENT, stdout=-3) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2)
        assert [path.name for path in dist.iterdir()] == [part.name]
        os.close(descriptor)
        assert waiting.wait(30) == 0
    assert [path.name for path in dist.iterdir()] == ["greeter_1.0_all.deb"]


def test_a_file_system_without_locks_is_built_into_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuses)
    part = tmp_path / ".greeter_1.0_all.deb.abc123.part"
    part.touch()
    (receipt,) = build([package(b"x")], tmp_path)
    assert is_whole(receipt.path)
    assert part.exists(), "another build may be writing it"


def test_concurrent_builds_all_end_well_with_the_same_bytes(bundle: Path) -> None:
    alone = Path(call_hadeb("build", "--output", bundle / "alone", directory=bundle).stdout.strip())
    processes = [
        subprocess.Popen(
            [*HADEB, "build", "--json"], cwd=bundle, env=ENVIRONMENT, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    for process in processes:
        stdout, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert json.loads(stdout)["size"] == alone.stat().st_size
    assert [path.name for path in (bundle / "dist").iterdir()] == ["greeter_1.0_all.deb"]
    assert (bundle / "dist/greeter_1.0_all.deb").read_bytes() == alone.read_bytes()


def test_a_build_leaves_the_sources_alone(bundle: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")}
    assert call_hadeb("build", "--output", bundle.parent / "dist", directory=bundle).code == 0
    assert {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")} == before


def test_no_build_of_the_tests_wrote_into_the_repository() -> None:
    assert not list((ROOT / "tests/manifests").rglob("dist"))
