# SPDX-License-Identifier: Apache-2.0
"""The .deb as bytes: dpkg-deb reads it, and would have made the same members of the same tree."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from hadeb.package.deb import control_file, write
from hadeb.package.model import Entry, File, Link, Package, Script
from support.command import ROOT, call_hadeb

LONG = "/".join(["usr/share", *(f"{n:02}-{'d' * 60}" for n in range(5)), "f" * 120])
HUGE = bytes(range(256)) * 120_000  # 30 MB
ENTRIES: tuple[Entry, ...] = (
    File("etc/greeter.conf", b"greet = hello\n"),
    File("usr/bin/greeterd", b"#!/bin/sh\nexit 0\n", 0o755),
    File("usr/lib/greeter/huge", HUGE),
    File("usr/lib/greeter/secret", b"secret", 0o600),
    File("usr/lib/greeter/su", b"su", 0o4755),
    File("usr/share/greeter-data/x", b"x"),
    File("usr/share/greeter/empty", b""),
    File("usr/share/greeter/gr\u00fc\u00dfe", b"\xff\x00"),
    Link("usr/share/greeter/here", "../greeter-data/x"),
    Link("usr/share/greeter/there", "/" + LONG),
    File(LONG, b"at the end of a long path"),
)
PACKAGE = Package(
    control=(
        ("Package", "greeter"),
        ("Version", "1:1.0-1"),
        ("Architecture", "all"),
        ("Maintainer", "J\u00fcrgen M\u00fcller <jm@example.org>"),
        ("Installed-Size", "30000"),
        ("Description", "greeter for clusters\n A paragraph.\n .\n   verbatim"),
    ),
    entries=tuple(sorted(ENTRIES, key=lambda entry: entry.path)),
    conffiles=("etc/greeter.conf",),
    scripts=(Script("postinst", "#!/bin/sh\nexit 0\n"), Script("prerm", "#!/bin/sh\nexit 0\n")),
    timestamp=1_767_225_600,
)


def run(*argv: str | Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        argv,
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(environment or {})},
    )
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("deb") / "greeter.deb"
    path.write_bytes(write(PACKAGE))
    return path


def stage(package: Package, tree: Path) -> None:
    """The package as a directory that dpkg-deb can build, with every time set."""
    for entry in package.entries:
        path = tree / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, File):
            path.write_bytes(entry.content)
            path.chmod(entry.mode)
        else:
            path.symlink_to(entry.target)
    control = tree / "DEBIAN"
    control.mkdir(parents=True)
    (control / "control").write_text(control_file(package), encoding="utf-8")
    if package.conffiles:
        conffiles = "".join(f"/{path}\n" for path in package.conffiles)
        (control / "conffiles").write_text(conffiles, encoding="utf-8")
    for script in package.scripts:
        (control / script.name).write_text(script.text, encoding="utf-8")
        (control / script.name).chmod(0o755)
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (package.timestamp, package.timestamp), follow_symlinks=False)


def built_by_dpkg(package: Package, directory: Path) -> Path:
    stage(package, directory / "tree")
    made = directory / "dpkg.deb"
    run(
        "dpkg-deb",
        "--root-owner-group",
        "-Zxz",
        "--build",
        directory / "tree",
        made,
        environment={"SOURCE_DATE_EPOCH": str(package.timestamp)},
    )
    return made


def members(deb: Path, archive: str = "data") -> list[str]:
    """Mode, owner, size, time and name of each member of an archive in a .deb, sorted by name."""
    tar = {"data": "--fsys-tarfile", "control": "--ctrl-tarfile"}[archive]
    content = subprocess.run(["dpkg-deb", tar, deb], check=True, capture_output=True).stdout
    listed = subprocess.run(
        ["tar", "--list", "--verbose", "--full-time", "--quoting-style=c", "--file=-"],
        input=content,
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    assert listed.stderr == b""
    return sorted(listed.stdout.decode().splitlines(), key=lambda line: line.split('"')[1])


def test_dpkg_deb_would_make_the_same_members(deb: Path, tmp_path: Path) -> None:
    theirs = built_by_dpkg(PACKAGE, tmp_path)
    assert members(deb) == members(theirs)
    assert run("dpkg-deb", "--field", deb) == run("dpkg-deb", "--field", theirs)
    ours = [line for line in members(deb, "control") if "md5sums" not in line]
    assert ours == members(theirs, "control")
    assert run("dpkg-deb", "--contents", deb).count("root/root") == len(members(deb))


def test_dpkg_deb_unpacks_what_was_planned(deb: Path, tmp_path: Path) -> None:
    run("dpkg-deb", "--extract", deb, tmp_path)
    for entry in PACKAGE.entries:
        path = tmp_path / entry.path
        if isinstance(entry, Link):
            assert path.readlink() == Path(entry.target)
        else:
            assert path.read_bytes() == entry.content
            assert path.stat().st_mode & 0o7777 == entry.mode
            assert path.stat().st_mtime == PACKAGE.timestamp
    unpacked = {
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()
    }
    assert unpacked == {entry.path for entry in PACKAGE.entries}


def test_dpkg_deb_finds_the_control_files(deb: Path, tmp_path: Path) -> None:
    run("dpkg-deb", "--control", deb, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("control", "conffiles", "md5sums", "postinst", "prerm")
    }
    assert (tmp_path / "conffiles").read_text("utf-8") == "/etc/greeter.conf\n"
    info = run("dpkg-deb", "--info", deb)
    assert " new Debian package, version 2.0.\n" in info
    assert " Version: 1:1.0-1\n" in info
    assert "J\u00fcrgen M\u00fcller" in info
    for script in PACKAGE.scripts:
        assert (tmp_path / script.name).read_text("utf-8") == script.text


def test_md5sums_hold_for_what_is_unpacked(deb: Path, tmp_path: Path) -> None:
    run("dpkg-deb", "--raw-extract", deb, tmp_path)
    listed = {}
    for line in (tmp_path / "DEBIAN/md5sums").read_text("utf-8").splitlines():
        digest, _, path = line.partition("  ")
        listed[path] = digest
    expected = {
        entry.path: hashlib.md5((tmp_path / entry.path).read_bytes()).hexdigest()
        for entry in PACKAGE.entries
        if isinstance(entry, File) and entry.path not in PACKAGE.conffiles
    }
    assert listed == expected


def test_directories_stand_before_what_lies_in_them(deb: Path) -> None:
    content = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True)
    names = subprocess.run(
        ["tar", "--list", "--file=-"], input=content.stdout, check=True, capture_output=True
    ).stdout.splitlines()
    seen = set()
    for name in names:
        parent = name.rstrip(b"/").rpartition(b"/")[0]
        assert not parent or parent + b"/" in seen, name
        seen.add(name)
    assert len(seen) == len(names)


def test_the_archive_has_the_members_that_dpkg_wants_and_no_stray_bytes(deb: Path) -> None:
    assert run("ar", "t", deb).split() == ["debian-binary", "control.tar.xz", "data.tar.xz"]
    assert run("ar", "p", deb, "debian-binary") == "2.0\n"
    listing = run("ar", "tvO", deb)
    assert len(re.findall(r"^rw-r--r-- 0/0 ", listing, re.MULTILINE)) == 3
    content = deb.read_bytes()
    end = content.rindex(b"data.tar.xz")
    size = int(content[end + 48 : end + 58])
    assert len(content) == end + 60 + size + size % 2


def test_a_package_of_nothing_but_scripts_is_one_for_dpkg(tmp_path: Path) -> None:
    empty = Package(PACKAGE.control, (), (), (), timestamp=0)
    path = tmp_path / "empty.deb"
    path.write_bytes(write(empty))
    assert members(path) == members(built_by_dpkg(empty, tmp_path))


@pytest.mark.parametrize("timestamp", [0, 1, 8**11 - 1])
def test_a_time_at_the_end_of_what_a_header_holds_arrives(timestamp: int, tmp_path: Path) -> None:
    package = Package(PACKAGE.control, (File("usr/x", b"x"),), (), (), timestamp)
    path = tmp_path / "time.deb"
    path.write_bytes(write(package))
    run("dpkg-deb", "--extract", path, tmp_path)
    assert (tmp_path / "usr/x").stat().st_mtime == timestamp


@pytest.mark.parametrize("case", sorted(p.name for p in (ROOT / "tests/manifests/valid").iterdir()))
def test_dpkg_deb_would_make_the_same_package_of_each_bundle(case: str, tmp_path: Path) -> None:
    source = tmp_path / case
    shutil.copytree(ROOT / "tests/manifests/valid" / case, source)
    environment = {"DEBFULLNAME": "Jane Roe", "DEBEMAIL": "jane@example.org"}
    call = call_hadeb("build", "--output", tmp_path, directory=source, environment=environment)
    assert call.code == 0, call.stderr
    ours = Path(call.stdout.strip())
    tree = tmp_path / "tree"
    run("dpkg-deb", "--raw-extract", ours, tree)
    for directory in (tree / "DEBIAN", tree):
        os.utime(directory, (tree / "usr").stat()[7:9])
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, tmp_path / "theirs.deb")
    assert members(ours) == members(tmp_path / "theirs.deb")
    assert members(ours, "control") == members(tmp_path / "theirs.deb", "control")
    assert run("dpkg-deb", "--field", ours) == run("dpkg-deb", "--field", tmp_path / "theirs.deb")


def test_installed_size_is_what_dpkg_gencontrol_counts(sample_deb: Path, tmp_path: Path) -> None:
    run("dpkg-deb", "--raw-extract", sample_deb, tmp_path / "tree")
    counted = 0
    for path in (tmp_path / "tree").rglob("*"):
        if "DEBIAN" not in path.relative_to(tmp_path / "tree").parts:
            size = path.lstat().st_size if path.is_file() and not path.is_symlink() else 1024
            counted += -(-size // 1024)
    assert int(run("dpkg-deb", "--field", sample_deb, "Installed-Size")) == counted + 1
