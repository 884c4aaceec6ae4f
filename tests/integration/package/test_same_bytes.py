# SPDX-License-Identifier: Apache-2.0
"""The sample's .deb has the same bytes for any user, directory, time and environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.command import ENVIRONMENT, ROOT, run_hadeb

# What the sample bundle consists of.
SAMPLE = ("bundle.toml", "agents", "daemon")


def copy_sample(directory: Path) -> Path:
    for name in SAMPLE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, directory / name)
    return directory


def digest(directory: Path, environment: Mapping[str, str] | None = None, umask: str = "") -> str:
    command = ("sh", "-c", f'umask {umask}; exec "$@"', "sh") if umask else ()
    call = run_hadeb(
        "build",
        "--output",
        directory.parent / "dist",
        directory=directory,
        environment=environment,
        command=(*command, sys.executable, "-m", "hadeb"),
    )
    assert call.code == 0, call.stderr
    return hashlib.sha256(Path(call.stdout.strip()).read_bytes()).hexdigest()


@pytest.fixture
def expected(sample_deb: Path) -> str:
    return hashlib.sha256(sample_deb.read_bytes()).hexdigest()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    directory = tmp_path / "another place" / "with ümlauts"
    directory.mkdir(parents=True)
    return copy_sample(directory)


def test_another_directory_changes_nothing(expected: str, copied: Path) -> None:
    assert digest(copied) == expected


@pytest.mark.parametrize("umask", ["000", "027", "077"])
def test_a_umask_changes_nothing(umask: str, expected: str, copied: Path) -> None:
    # Of the sources' modes only the owner's execute bit counts.
    for path in copied.rglob("*"):
        path.chmod(path.stat().st_mode & ~int(umask, 8))
    assert digest(copied, umask=umask) == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"},
        {"TZ": "/nonexistent", "LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "1", "DEBFULLNAME": "Jane Roe", "DEBEMAIL": "jane@example.org"},
        {"PYTHONHASHSEED": "2", "PYTHONUTF8": "0", "LC_ALL": "POSIX"},
        {"XZ_OPT": "-9e", "XZ_DEFAULTS": "--threads=4", "GZIP": "-1", "DPKG_DEB_THREADS_MAX": "1"},
    ],
    ids=lambda environment: next(iter(environment)) + str(len(environment)),
)
def test_an_environment_changes_nothing(
    environment: Mapping[str, str], expected: str, copied: Path
) -> None:
    assert digest(copied, environment) == expected


@pytest.mark.parametrize("when", [0, 86400 * 365 * 60])
def test_old_or_new_times_of_the_sources_change_nothing(
    when: int, expected: str, copied: Path
) -> None:
    for path in (copied, *copied.rglob("*")):
        os.utime(path, (when, when))
    assert digest(copied) == expected


def test_the_order_in_which_files_were_made_changes_nothing(expected: str, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    files = sorted(path for name in SAMPLE for path in (ROOT / name, *(ROOT / name).rglob("*")))
    for path in reversed(files):
        if path.is_file() and "__pycache__" not in path.parts:
            made = tmp_path / "copy" / path.relative_to(ROOT)
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, made)
    assert digest(tmp_path / "copy") == expected


def test_leftovers_of_tools_beside_the_sources_change_nothing(expected: str, copied: Path) -> None:
    package = copied / "daemon/sample_tcp_server"
    cache = "__pycache__/cli.cpython-311.pyc.1234"
    for name in (cache, "old.pyc", ".mypy_cache/x", "deep/.git/HEAD"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    assert digest(copied) == expected


def test_how_the_bundle_is_meant_to_run_changes_nothing(expected: str, copied: Path) -> None:
    manifest = copied / "bundle.toml"
    text = manifest.read_text("utf-8")
    before, cluster, rest = text.partition("[cluster]\n")
    _, changelog, after = rest.partition("[[changelog]]\n")
    assert cluster
    manifest.write_text(f"{before}{changelog}{after}", encoding="utf-8")
    assert digest(copied) == expected
    manifest.write_text(text.replace("172.16.0.50", "192.0.2.1"), encoding="utf-8")
    assert digest(copied) == expected


def test_source_date_epoch_is_the_time_of_every_file(copied: Path) -> None:
    first = digest(copied, {"SOURCE_DATE_EPOCH": "1000000000"})
    assert digest(copied, {"SOURCE_DATE_EPOCH": "1000000000", "TZ": "Asia/Tokyo"}) == first
    deb = next((copied.parent / "dist").iterdir())
    listing = subprocess.run(
        ["dpkg-deb", "--contents", deb],
        check=True,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "TZ": "UTC"},
    ).stdout.splitlines()
    assert listing
    assert all(" 2001-09-09 01:46 " in line for line in listing)
    assert digest(copied, {"SOURCE_DATE_EPOCH": ""}) != first


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "99999999999999", "\u0661"])
def test_an_invalid_source_date_epoch_is_reported(epoch: str, copied: Path) -> None:
    call = run_hadeb("build", directory=copied, environment={"SOURCE_DATE_EPOCH": epoch})
    assert (call.code, call.stdout) == (2, "")
    assert call.stderr.startswith("error: SOURCE_DATE_EPOCH is ")
    assert "hint: " in call.stderr
    assert not (copied / "dist").exists()
