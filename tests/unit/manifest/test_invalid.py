# SPDX-License-Identifier: Apache-2.0
"""Every fault that hadeb can find in a manifest: the whole text, the exit code, nothing written."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeb.manifest.values import command_refusal
from support.command import ROOT, Outcome, call_hadeb

INVALID = ROOT / "tests/manifests/invalid"
CASES = sorted(path.name for path in INVALID.iterdir())


def refused(call: Outcome, dist: Path) -> str:
    """The messages of a call that ended as it must for a bad manifest."""
    assert (call.code, call.stdout) == (3, "")
    assert not dist.exists(), "something was written for a bad manifest"
    return call.stderr


def build(directory: Path, dist: Path, *manifests: str) -> str:
    return refused(call_hadeb("build", *manifests, "--output", dist, directory=directory), dist)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_manifest_is_refused_with_all_its_faults(
    case: str, tmp_path: Path, golden: Callable[[Path, str], None]
) -> None:
    golden(INVALID / case / "error.txt", build(INVALID / case, tmp_path / "dist"))


def test_faults_of_several_manifests_come_at_once_and_in_order(tmp_path: Path) -> None:
    names = ["tables-missing", "syntax-no-value", "../valid/agents-only", "keys-unknown"]
    lines = build(INVALID, tmp_path / "dist", *names).splitlines()
    places = [line.split(":")[:2] for line in lines[:-1]]
    assert places == sorted(places, key=lambda place: (place[0], int(place[1])))
    assert {file for file, _ in places} == {
        f"{name}/bundle.toml" for name in names if "valid/" not in name
    }
    assert lines[-1] == f"error: {len(places)} findings in 3 files; nothing was written"


def test_two_manifests_that_make_one_file_are_refused(tmp_path: Path) -> None:
    message = build(INVALID.parent / "valid", tmp_path / "dist", "agents-only", "links")
    assert message == (
        "links/bundle.toml:3: package.name: makes greeter_1.0_all.deb, and so does "
        "agents-only/bundle.toml; give one of the two another name or version, or build it by "
        "itself\n"
        "error: 1 finding in links/bundle.toml; nothing was written\n"
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_that_is_not_utf_8_is_reported_with_its_line(
    mark: bytes, bundle: Path, tmp_path: Path
) -> None:
    text = '[package]\nname = "grün"\n'.encode("latin-1")
    (bundle / "bundle.toml").write_bytes(mark + text)
    message = build(bundle, tmp_path / "dist")
    assert message.startswith("bundle.toml:2: is not UTF-8 text\n")


def test_a_project_that_is_not_utf_8_is_reported_with_its_line(
    bundle: Path, tmp_path: Path
) -> None:
    with (bundle / "daemon/pyproject.toml").open("ab") as stream:
        stream.write(b"# \xff\n")
    assert "daemon/pyproject.toml:9: is not UTF-8 text\n" in build(bundle, tmp_path / "dist")


def test_an_empty_directory_is_reported_since_a_package_would_not_have_it(
    bundle: Path, tmp_path: Path
) -> None:
    (bundle / "share" / "below").mkdir(parents=True)
    with (bundle / "bundle.toml").open("a") as stream:
        stream.write('\n[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n')
    sentence = "'share' holds no file; a package's directories come with files"
    assert f"file[0].source: {sentence}\n" in build(bundle, tmp_path / "dist")


def test_a_missing_manifest_is_reported(tmp_path: Path) -> None:
    message = build(tmp_path, tmp_path / "dist", "gone.toml", ".")
    assert message == (
        "bundle.toml: does not exist; name an existing manifest\n"
        "gone.toml: does not exist; name an existing manifest\n"
        "error: 2 findings in 2 files; nothing was written\n"
    )


def test_a_manifest_below_a_file_or_of_too_long_a_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = build(tmp_path, tmp_path / "dist", "file/bundle.toml", "x" * 300)
    assert message.splitlines()[0] == "file/bundle.toml: cannot be read: Not a directory"
    assert message.splitlines()[1].endswith("xxx: cannot be read: File name too long")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def make_broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_link_to_a_directory(path: Path) -> None:
    path.symlink_to("/usr/share")


SPECIAL: dict[Callable[[Path], None], str] = {
    make_pipe: "cannot be read: is not a regular file",
    make_socket: "cannot be read: is not a regular file",
    make_broken_link: "does not exist; name an existing file",
    make_loop: "cannot be read: Too many levels of symbolic links",
    make_link_to_a_directory: "cannot be read: is a link to a directory",
}


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("place", ["share", "daemon/greeterd"])
def test_what_is_no_plain_file_is_neither_read_nor_left_out(
    make: Callable[[Path], None],
    place: str,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (bundle / "share").mkdir()
    (bundle / "share" / "plain").touch()
    table = '[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n'
    with (bundle / "bundle.toml").open("a", encoding="utf-8") as stream:
        stream.write(table)
    make(bundle / place / "odd")
    message = build(bundle, tmp_path / "dist")
    assert f": '{place}/odd' {SPECIAL[make]}\n" in message
    assert message.endswith("error: 1 finding in bundle.toml; nothing was written\n")


@pytest.mark.parametrize("name", [b"two\nlines", b"latin-\xe9", b"\x1b[31m"])
@pytest.mark.parametrize("place", ["share", "daemon/greeterd"])
def test_a_file_name_that_no_list_can_hold_is_reported(
    name: bytes, place: str, bundle: Path, tmp_path: Path
) -> None:
    (bundle / "share").mkdir()
    (bundle / "share" / "plain").touch()
    with (bundle / "bundle.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n')
    Path(os.fsdecode(os.fsencode(bundle / place) + b"/" + name)).touch()
    message = build(bundle, tmp_path / "dist")
    assert "which is not a printable name\n" in message
    assert message.isascii()
    assert message.count("\n") == 2


def test_a_read_error_is_reported(bundle: Path, tmp_path: Path) -> None:
    # Opened like any file; the first read fails as a broken disk's does, and names no file.
    (bundle / "share").symlink_to("/proc/self/mem")
    with (bundle / "bundle.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n')
    assert ": 'share' cannot be read: Input/output error\n" in build(bundle, tmp_path / "dist")


@pytest.mark.parametrize(
    ("begin", "sentence"),
    [
        (
            b"#!/bin/sh\r\necho\r\n",
            "has Windows line endings, with which the kernel finds no inter",
        ),
        (b"#! \necho\n", "names no interpreter after #!"),
    ],
)
def test_a_program_that_no_kernel_can_start_is_reported(
    begin: bytes, sentence: str, bundle: Path, tmp_path: Path
) -> None:
    for name in ("greeter", "ctl"):
        (bundle / name).write_bytes(begin)
    manifest = bundle / "bundle.toml"
    text = manifest.read_text("utf-8")
    assert "[daemon]\n" in text
    manifest.write_text(text.replace("[daemon]\n", '[daemon]\nexecutables = ["ctl"]\n'), "utf-8")
    message = build(bundle, tmp_path / "dist")
    assert f"agent[0].source: 'greeter' {sentence}" in message
    assert f"daemon.executables[0]: 'ctl' {sentence}" in message


def test_a_license_that_would_lose_its_umlauts_is_reported(tmp_path: Path) -> None:
    made = tmp_path / "made"
    shutil.copytree(INVALID.parent / "valid/own-license", made)
    (made / "LICENSE.txt").write_bytes("Copyright Müller\n".encode("latin-1"))
    message = build(made, tmp_path / "dist")
    assert "package.license-file: 'LICENSE.txt' is not UTF-8 text\n" in message


@pytest.mark.parametrize("command", ["/a it's", '/a "b', '/a x"y', r'/a "b\"', r"/a 'b\'"])
def test_a_command_whose_quote_stays_open_is_refused(command: str) -> None:
    assert "an unclosed quote" in (command_refusal(command) or "")


@pytest.mark.parametrize("command", [r"/a \"b", '/a "it\'s" \'b\' x"y z"', r"/a 'it\'s'", "/a"])
def test_a_command_whose_quotes_are_closed_is_taken(command: str) -> None:
    assert command_refusal(command) is None


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        ("Jane Roe", "", "is missing; write it, or set DEBFULLNAME and DEBEMAIL"),
        ("", "jane@example.org", "is missing; write it, or set DEBFULLNAME and DEBEMAIL"),
        ("Jane Roe", "jane", "is missing, and from DEBFULLNAME and DEBEMAIL 'Jane Roe <jane>'"),
        ("Jane\nDepends: evil", "jane@example.org", "is missing, and from DEBFULLNAME"),
        ("J\udce9", "jane@example.org", "is missing, and DEBFULLNAME and DEBEMAIL are not UTF-8"),
    ],
)
def test_an_invalid_maintainer_from_the_environment_is_reported(
    name: str, address: str, sentence: str, tmp_path: Path
) -> None:
    call = call_hadeb(
        "build",
        "--output",
        tmp_path / "dist",
        directory=INVALID.parent / "valid/maintainer-of-the-environment",
        environment={"DEBFULLNAME": name, "DEBEMAIL": address},
    )
    message = refused(call, tmp_path / "dist")
    assert message.startswith(f"bundle.toml:2: package.maintainer: {sentence}")
