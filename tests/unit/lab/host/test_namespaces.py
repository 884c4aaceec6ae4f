# SPDX-License-Identifier: Apache-2.0
"""What a lab needs of the machine, and names where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hadeb.errors import ToolMissing
from hadeb.lab.host.namespaces import Namespaces


def test_without_root_a_lab_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ToolMissing) as error, Namespaces():
        pass
    assert error.value.hint
    assert "sudo" in error.value.hint


def test_a_missing_tool_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as error, Namespaces():
        pass
    assert error.value.hint
    assert "systemd-container" in error.value.hint
