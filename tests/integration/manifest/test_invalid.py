# SPDX-License-Identifier: Apache-2.0
"""Errors in a manifest that only a real process, its permissions or dpkg reveal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.command import HADEB, ROOT, Outcome, call_hadeb, run_hadeb

INVALID = ROOT / "tests/manifests/invalid"


def refused(call: Outcome, dist: Path) -> str:
    """The messages of a call that ended as it must for a bad manifest."""
    assert (call.code, call.stdout) == (3, "")
    assert not dist.exists(), "something was written for a bad manifest"
    return call.stderr


def build(directory: Path, dist: Path, *manifests: str) -> str:
    return refused(call_hadeb("build", *manifests, "--output", dist, directory=directory), dist)


@pytest.mark.parametrize("case", ["types", "syntax-no-value", "two-files-with-one-path"])
def test_the_command_itself_says_the_same(case: str, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    process = run_hadeb("build", "--output", dist, directory=INVALID / case)
    assert refused(process, dist) == build(INVALID / case, dist)


def test_an_unreadable_file_is_reported(bundle: Path, tmp_path: Path) -> None:
    secret = bundle / "share/deep"
    secret.mkdir(parents=True)
    with (bundle / "bundle.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n')
    (bundle / "daemon/greeterd/__init__.py").chmod(0)
    (bundle / "greeter").chmod(0)
    secret.chmod(0)
    # Root reads everything by a capability; without it, root is a user as any other.
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    call = run_hadeb("build", directory=bundle, command=(*powerless, *HADEB))
    secret.chmod(0o700)
    message = refused(call, bundle / "dist")
    for path in ("greeter", "share/deep", "daemon/greeterd/__init__.py"):
        assert f": '{path}' cannot be read: Permission denied\n" in message


@pytest.mark.parametrize("length", [246, 247])
def test_a_name_that_dpkg_cannot_unpack_is_reported(
    length: int, bundle: Path, tmp_path: Path
) -> None:
    (bundle / "share").mkdir()
    (bundle / "share" / ("x" * length)).touch()
    with (bundle / "bundle.toml").open("a") as stream:
        stream.write('\n[[file]]\nsource = "share"\npath = "/usr/share/greeter"\n')
    call = call_hadeb("build", "--output", tmp_path / "dist", directory=bundle)
    if length == 246:
        root = tmp_path / "root"
        unpack = ["dpkg-deb", "--extract", call.stdout.strip(), str(root)]
        subprocess.run(unpack, check=True)
        (root / "usr/share/greeter" / ("x" * length + ".dpkg-new")).touch()
        assert call.code == 0
    else:
        message = refused(call, tmp_path / "dist")
        assert "contains a name of more than 246 bytes, which dpkg cannot unpack\n" in message
