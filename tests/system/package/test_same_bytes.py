# SPDX-License-Identifier: Apache-2.0
"""Another user's build of the sample has the same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import ROOT, run_hadeb

# What the sample bundle consists of.
SAMPLE = ("bundle.toml", "agents", "daemon")
LEFTOVERS = shutil.ignore_patterns("__pycache__", ".*")


def copy_sample(directory: Path) -> Path:
    for name in SAMPLE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, directory / name)
    return directory


@pytest.fixture
def expected(sample_deb: Path) -> str:
    return hashlib.sha256(sample_deb.read_bytes()).hexdigest()


@pytest.fixture
def public(as_root: None) -> Iterator[Path]:
    """hadeb, what it runs on and the sample, where every user can read them."""
    name = subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True)
    directory = Path(name.stdout.strip())
    for module in ("hadeb", "click", "jinja2", "markupsafe"):
        spec = importlib.util.find_spec(module)
        assert spec
        assert spec.origin
        shutil.copytree(Path(spec.origin).parent, directory / "python" / module, ignore=LEFTOVERS)
    shutil.copytree(ROOT / "debian-templates", directory / "python/hadeb/debian-templates")
    (directory / "sample").mkdir()
    copy_sample(directory / "sample")
    subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
    (directory / "dist").mkdir()
    (directory / "dist").chmod(0o777)
    yield directory
    shutil.rmtree(directory)


def test_another_user_changes_nothing(expected: str, public: Path) -> None:
    # Debian's own Python, since ours may lie where nobody may look.
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    call = run_hadeb(
        "build",
        "--output",
        public / "dist",
        directory=public / "sample",
        environment={"PYTHONPATH": str(public / "python"), "HOME": "/", "USER": "nobody"},
        command=(*nobody, "/usr/bin/python3", "-m", "hadeb"),
    )
    assert call.code == 0, call.stderr
    deb = Path(call.stdout.strip())
    assert deb.stat().st_uid == 65534
    assert hashlib.sha256(deb.read_bytes()).hexdigest() == expected
