# SPDX-License-Identifier: Apache-2.0
"""How gpg is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hadeb.repo.model.keys import Key
from hadeb.repo.signing.keychain import Keychain
from hadeb.repo.signing.sign_release import sign_detached, sign_in_release

_GPG = """#!/bin/sh
echo begin >>"$GPG_LOG"
sleep 0.1
echo end >>"$GPG_LOG"
"""


def test_a_key_that_was_just_imported_signs_alone_once_since_gpg_agent_rewrites_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpg, log = tmp_path / "gpg", tmp_path / "log"
    gpg.write_text(_GPG)
    gpg.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GPG_LOG", str(log))
    signers = (Keychain(tmp_path), [Key("0" * 40, "somebody", None)], tmp_path, print)
    sign_in_release(*signers)
    sign_detached(*signers)
    assert log.read_text().split()[:2] == ["begin", "end"]
    assert len(log.read_text().split()) == 6
    assert (tmp_path / "InRelease").exists()
