# SPDX-License-Identifier: Apache-2.0
"""hadeb from its wheel works like the checkout, including templates."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from support.command import ROOT, run_hadeb


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", directory],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = directory.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that has the wheel, and click and jinja2 from ours."""
    environment = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python3"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    for name in ("click", "jinja2", "markupsafe"):
        shutil.copytree(Path(sysconfig.get_path("purelib"), name), Path(site, name))
    install = ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    return environment / "bin/hadeb"


def test_the_wheel_carries_every_template_and_module(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for directory, prefix in (
        (ROOT / "debian-templates", "hadeb/debian-templates"),
        (ROOT / "builder/hadeb", "hadeb"),
    ):
        for path in directory.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{prefix}/{path.relative_to(directory)}" in names
    assert not [name for name in names if not name.startswith(("hadeb/", "hadeb-"))]


def test_the_installed_command_makes_the_same_package(
    installed: Path, sample_deb: Path, tmp_path: Path
) -> None:
    call = run_hadeb(
        "build",
        ROOT,
        "--output",
        tmp_path,
        directory=tmp_path,
        environment={"PYTHONPATH": ""},
        command=(str(installed),),
    )
    assert (call.code, call.stderr) == (0, "")
    assert Path(call.stdout.strip()).read_bytes() == sample_deb.read_bytes()


@pytest.mark.parametrize("arguments", [("--version",), ("schema",), ("plan", str(ROOT))])
def test_the_installed_command_says_what_the_checkout_says(
    arguments: tuple[str, ...], installed: Path, tmp_path: Path
) -> None:
    here = run_hadeb(*arguments, directory=tmp_path)
    there = run_hadeb(
        *arguments,
        directory=tmp_path,
        environment={"PYTHONPATH": ""},
        command=(str(installed),),
    )
    assert here.code == 0
    assert there == here
