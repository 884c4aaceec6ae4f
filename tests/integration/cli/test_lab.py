# SPDX-License-Identifier: Apache-2.0
"""The lab's command without root."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from support.command import HADEB, run_hadeb
from support.lab_run import copy_of_sample, private_registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return private_registry(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return copy_of_sample(tmp_path)


@pytest.mark.parametrize(
    "arguments", [("run",), ("up", "--bare"), ("up",), ("down",), ("down", "nonesuch")]
)
def test_without_root_it_says_what_helps(arguments: tuple[str, ...], bundle: Path) -> None:
    nobody = (
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
        # A checkout may lie where only root looks; reading it is all that is left of root.
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    )
    with tempfile.TemporaryDirectory() as public:
        Path(public).chmod(0o755)
        shutil.copytree(bundle, public, dirs_exist_ok=True)
        manifest = ("-m", public) if arguments[0] in {"run", "up"} else ()
        done = run_hadeb(
            "lab",
            *arguments,
            *manifest,
            directory=Path("/"),
            command=(*nobody, *HADEB) if os.geteuid() == 0 else HADEB,
        )
    assert (done.code, done.stdout) == (5, "")
    assert "needs root" in done.stderr
    assert "sudo" in done.stderr
