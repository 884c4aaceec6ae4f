# SPDX-License-Identifier: Apache-2.0
"""make deb sets itself up in any directory, for any user, under any shell settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.command import ROOT

DEB = "dist/sample-tcp-server_1.0_all.deb"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "dist", "__pycache__", ".*_cache", ".hypothesis")
MAKES_OWN = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
# Somebody without a name, a group or a right on this machine.
STRANGER = 61999


def checkout(place: Path, of: Path = ROOT) -> Path:
    """A copy without what make and the tests leave behind."""
    shutil.copytree(of, place, ignore=LEFT_OUT, symlinks=True)
    return place


def make_deb(
    where: Path, *, umask: int = 0o022, user: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    # A make that runs the tests is not above the one that is tried here.
    ours = {name: value for name, value in os.environ.items() if name not in MAKES_OWN}
    return subprocess.run(
        ["make", "deb"],
        cwd=where,
        env=ours | environment,
        umask=umask,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def built(done: subprocess.CompletedProcess[str], where: Path) -> bytes:
    """Call make deb: the package whose path it prints, and nothing else, on stdout."""
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{DEB}\n"
    return (where / DEB).read_bytes()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in a directory whose name has a blank, set up from a shell with odd settings."""
    where = checkout(tmp_path_factory.mktemp("my projects") / "hadeb")
    target = tmp_path_factory.mktemp("target")
    done = make_deb(
        where,
        umask=0o077,
        LC_ALL="C",
        TZ="Asia/Kolkata",
        MAKEFLAGS="-j4",
        PYTHONPATH="/nowhere",
        PYTHONUTF8="0",
        PIP_USER="1",
        PIP_TARGET=str(target),
    )
    assert built(done, where)
    assert not list(target.iterdir()), "the libraries belong into .venv"
    return where


def test_a_second_call_installs_nothing_and_makes_the_same_bytes(odd: Path) -> None:
    first = (odd / DEB).read_bytes()
    # Where neither pip nor apt could do a thing.
    done = make_deb(odd, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert built(done, odd) == first
    assert done.stderr == ""


def test_a_moved_checkout_mends_itself(odd: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(odd, moved, symlinks=True)
    (moved / DEB).unlink()
    done = make_deb(moved)
    assert built(done, moved) == (odd / DEB).read_bytes()
    assert str(moved) in (moved / ".venv/bin/hadeb").read_text("utf-8")


def test_a_setup_cut_short_or_a_lost_python_is_made_again(odd: Path, tmp_path: Path) -> None:
    where = tmp_path / "hadeb"
    shutil.copytree(odd, where, symlinks=True)
    python = where / ".venv/bin/python3"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert built(make_deb(where), where)


@pytest.mark.usefixtures("as_root")
def test_another_user_without_root_makes_the_same_bytes(odd: Path) -> None:
    # Not below /tmp/pytest-of-root, which only root may enter.
    home = Path("/var/tmp", f"hadeb-stranger-{os.getpid()}")
    home.mkdir(mode=0o755)
    try:
        where = checkout(home / "hadeb", of=odd)
        for path in (home, where, *where.rglob("*")):
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
        done = make_deb(where, user=STRANGER, HOME=str(home), PATH="/usr/local/bin:/usr/bin:/bin")
        assert built(done, where) == (odd / DEB).read_bytes()
    finally:
        shutil.rmtree(home)
