# SPDX-License-Identifier: Apache-2.0
"""A machine that cannot run a lab is told why and what helps, and nothing is left on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.command import HADEB, run_hadeb
from support.lab_leftovers import call, hadeb_of
from support.lab_run import private_registry

pytestmark = pytest.mark.usefixtures("as_root")

UP = ("lab", "up", "--bare", "--nodes", "2", "-q")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return private_registry(tmp_path)


@pytest.mark.parametrize("missing", ["-sys_admin", "-net_admin"])
def test_without_a_capability_the_reason_is_named(registry: Path, missing: str) -> None:
    done = run_hadeb(
        *UP,
        directory=registry.parent,
        command=("setpriv", f"--bounding-set={missing}", *hadeb_of(registry)),
    )
    assert (done.code, done.stdout) == (1, "")
    assert "error: this machine does not let hadeb " in done.stderr
    assert "not permitted" in done.stderr
    assert "hint: " in done.stderr
    assert "--privileged" in done.stderr
    assert list(registry.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "arguments", "sentence"),
    [
        ("mount", "cgroup2", "mount cgroup v2"),
        ("mount", "mode=755", "mount the lab's file systems"),
        ("ip", "bridge", "make a network bridge"),
    ],
)
def test_a_step_that_fails_is_named(
    registry: Path, program: str, arguments: str, sentence: str
) -> None:
    refusing = registry.parent / "bin" / program
    refusing.parent.mkdir()
    refusing.write_text(
        f'#!/bin/sh\ncase " $* " in *{arguments}*) echo "{program}: refused" >&2; exit 32 ;; esac\n'
        f'PATH=${{PATH#*:}} exec {program} "$@"\n',
        "utf-8",
    )
    refusing.chmod(0o755)
    path = {"PATH": f"{refusing.parent}:{os.environ['PATH']}"}
    done = call(registry, *UP, directory=registry.parent, environment=path)
    assert (done.code, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert f"{program}: refused" in done.stderr
    assert list(registry.iterdir()) == []


def test_a_read_only_cache_is_named_with_the_way_out(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    script = 'mount -t tmpfs -o ro none "$1" && shift && HADEB_CACHE="$0" exec "$@"'
    done = run_hadeb(
        "lab",
        "up",
        "--bare",
        directory=tmp_path,
        command=("unshare", "--mount", "sh", "-c", script, str(cache), str(cache), *HADEB),
    )
    assert done.code == 1
    assert f"{cache}/images: Read-only file system" in done.stderr
    assert "HADEB_CACHE names another directory" in done.stderr
