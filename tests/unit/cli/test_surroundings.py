# SPDX-License-Identifier: Apache-2.0
"""Surroundings that make no sense, and those that a build does not need."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import call_hadeb


def test_running_out_of_memory_is_reported_with_the_file(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def ends(path: Path) -> bytes:
        if path.name == "greeter":
            raise MemoryError
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", ends)
    call = call_hadeb("build", directory=bundle)
    assert (call.code, call.stdout) == (3, "")
    assert "agent[0].source: 'greeter' cannot be read: Cannot allocate memory\n" in call.stderr


def test_memory_that_ends_anywhere_else_is_no_bug(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("hadeb.package.build.write", ends)
    call = call_hadeb("build", directory=bundle)
    assert (call.code, call.stdout) == (1, "")
    assert call.stderr == "error: there is not enough memory\n"
