# SPDX-License-Identifier: Apache-2.0
"""Which of several errors is reported, and that the operating system's have a path and a remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hadeb.cli.failure import report
from hadeb.errors import HadebError, UsageError, of_system


def caught(action: object) -> Exception:
    assert callable(action)
    try:
        action()
    except Exception as error:  # noqa: BLE001 - that is what is asked for
        return error
    raise AssertionError("it did not fail")


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write(path: Path) -> None:
    """A write that fails halfway names no path."""
    assert path.name
    raise no_space()


def refuse() -> None:
    raise UsageError("there is no node ha9")


def break_down() -> None:
    raise ValueError("read of closed file")


def test_a_bug_while_cleaning_up_does_not_hide_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def cleaning_up_breaks() -> None:
        try:
            refuse()
        finally:
            break_down()

    assert report(caught(cleaning_up_breaks)) == 2
    assert capsys.readouterr().err == "error: there is no node ha9\n"


def test_an_error_that_was_translated_is_the_one_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def translated() -> None:
        try:
            refuse()
        except UsageError as error:
            raise HadebError("outer") from error

    assert report(caught(translated)) == 1
    assert capsys.readouterr().err == "error: outer\n"


def test_what_failed_while_cleaning_up_is_shown_as_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failure = HadebError("ha1 did not boot", hint="look into it")
    failure.add_note("cleaning up failed as well: it does not end")
    assert report(failure) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: ha1 did not boot",
        "cleaning up failed as well: it does not end",
        "hint: look into it",
    ]


def test_a_full_disk_is_reported_with_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(caught(lambda: write(tmp_path / "report.html"))) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"error: {tmp_path}/report.html: No space left on device"
    assert second.startswith("hint: make room")


def test_a_path_that_is_far_from_the_failure_is_not_blamed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise no_space()

    report(caught(fail))
    assert capsys.readouterr().err.startswith("error: No space left on device\n")


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "mount it"),
        (errno.EACCES, "sudo"),
        (errno.EMFILE, "ulimit"),
        (errno.EDQUOT, "quota"),
        (errno.ENOTDIR, "directory"),
    ],
)
def test_what_the_operating_system_refuses_has_a_remedy(number: int, remedy: str) -> None:
    failure = of_system(OSError(number, os.strerror(number), "/srv/x"))
    assert failure.message == f"/srv/x: {os.strerror(number)}"
    assert failure.hint
    assert remedy in failure.hint
