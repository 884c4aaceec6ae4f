# SPDX-License-Identifier: Apache-2.0
"""However a build ends, the disk holds the old file or the new one, never a part."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hadeb.package.build import build
from hadeb.package.model import File, Package
from support.command import ENVIRONMENT, HADEB, call_hadeb


def package(content: bytes, version: str = "1.0") -> Package:
    control = (("Package", "greeter"), ("Version", version), ("Architecture", "all"))
    return Package(control, (File("usr/share/greeter/x", content),), (), (), timestamp=0)


def is_whole(deb: Path) -> bool:
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=False, capture_output=True)
    return done.returncode == 0 and done.stderr == b""


def test_a_receipt_says_what_is_on_the_disk(tmp_path: Path) -> None:
    (receipt,) = build([package(b"x")], tmp_path / "a/b/dist")
    assert receipt.path == tmp_path / "a/b/dist/greeter_1.0_all.deb"
    assert receipt.size == receipt.path.stat().st_size
    summed = subprocess.run(["sha256sum", receipt.path], check=True, capture_output=True, text=True)
    assert receipt.sha256 == summed.stdout.split()[0]


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
