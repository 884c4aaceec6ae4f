# SPDX-License-Identifier: Apache-2.0
"""Surroundings that make no sense are told as such, and what a build does not need is not asked."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from hadeb.context import from_environment
from hadeb.errors import HadebError, UsageError
from support.command import ROOT, call_hadeb, run_hadeb


@pytest.mark.parametrize("epoch", ["-1", "1e9", "now", "8589934592", "1" * 5000])
def test_a_time_that_is_none_is_refused(epoch: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is"):
        from_environment({"SOURCE_DATE_EPOCH": epoch})


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        with pytest.raises(HadebError, match="the directory that hadeb was called in is gone"):
            from_environment({})


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_locale_that_is_not_utf_8_changes_nothing(form: list[str]) -> None:
    directory = ROOT / "tests/manifests/valid/non-ascii"
    # Python itself takes UTF-8 in this locale, unless it is told not to.
    ascii_only = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = run_hadeb("plan", *form, directory=directory, environment=ascii_only)
    assert done == run_hadeb("plan", *form, directory=directory)
    assert (done.code, done.stderr) == (0, "")
    assert "Grüße" in done.stdout


def test_memory_that_ends_is_told_with_the_file(
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


def test_a_user_without_a_home_can_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    # A user whom no passwd file knows.
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert from_environment({}).cache.is_absolute()
