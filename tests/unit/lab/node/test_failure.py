# SPDX-License-Identifier: Apache-2.0
"""A node that does not boot is reported with the cause and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeb.errors import CommandFailed
from hadeb.lab.node.failure import boot_failed, is_frozen, no_disk

IMAGE = Path("/var/cache/hadeb/images/bookworm-0123")


@pytest.mark.parametrize(
    ("console", "cause", "remedy"),
    [
        (
            "execv(/usr/lib/systemd/systemd, /lib/systemd/systemd, /sbin/init) failed: "
            "No such file or directory\n",
            "no systemd to boot",
            f"sudo rm -r {IMAGE}",
        ),
        (
            "Failed to allocate manager object: Too many open files\n[!!!!!!] Failed to allocate "
            "manager object.\nExiting PID 1...\n",
            "no inotify instance",
            "fs.inotify.max_user_instances",
        ),
        (
            "Failed to create /init.scope control group: Read-only file system\n",
            "control groups",
            "--privileged",
        ),
        (
            "Caught <SEGV>, dumped core as pid 9.\nFreezing execution.\n",
            "systemd crashed",
            f"sudo rm -r {IMAGE}",
        ),
        ("write error: No space left on device\n", "in memory", "more memory"),
        ("Failed to fork off sandboxing: Operation not permitted\n", "container", "--privileged"),
    ],
)
def test_the_cause_is_read_from_the_console(console: str, cause: str, remedy: str) -> None:
    failure = boot_failed("ha1 ended while it booted", console, IMAGE)
    assert failure.message.startswith("ha1 ended while it booted; ")
    assert cause in failure.message
    assert console.splitlines()[0] in failure.message
    assert failure.hint
    assert remedy in failure.hint


def test_a_console_that_says_nothing_known_is_quoted() -> None:
    assert boot_failed("ha1 ended", "boom\n", IMAGE).message == "ha1 ended: boom"


def test_a_silent_end_is_that_of_a_systemd_without_an_inotify_instance() -> None:
    failure = boot_failed("ha1 ended", "", IMAGE)
    assert failure.message.startswith("ha1 ended, and printed nothing: most likely the machine has")
    assert failure.hint
    assert "fs.inotify.max_user_instances" in failure.hint


def test_a_crashed_systemd_is_not_waited_for() -> None:
    assert is_frozen("Caught <SEGV>.\nFreezing execution.\n")
    assert not is_frozen("Welcome to Debian GNU/Linux 12!\n")


def test_a_disk_that_cannot_be_mounted_is_reported_with_the_image() -> None:
    error = CommandFailed(["mount"], 32, stderr="mount: wrong fs type\n")
    failure = no_disk(IMAGE, error)
    assert str(IMAGE) in failure.message
    assert "wrong fs type" in failure.message
    assert failure.hint
    assert "HADEB_CACHE" in failure.hint
