# SPDX-License-Identifier: Apache-2.0
"""An image is made once, from the machine's own mirror, and never left incomplete."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeb.errors import HadebError, ToolMissing
from hadeb.lab.node.image import image

pytestmark = pytest.mark.usefixtures("as_root")

# In mmdebstrap's place: writes down how it was called, and makes the directory.
FAKE = """#!/bin/sh
printf '%s\\n' "$@" >> "$LOG"
echo called >> "$LOG"
sleep "${SECONDS_IT_TAKES:-0.3}"
for last; do suite=$root root=$mirror mirror=$last; done
mkdir -p "$root/etc"
echo "$mirror" > "$root/etc/mirror"
exit "${ENDS_WITH:-0}"
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private cache, a fake mmdebstrap, and a log of its calls."""
    programs = tmp_path / "bin"
    programs.mkdir()
    fake = programs / "mmdebstrap"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("HADEB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def calls(log: Path) -> int:
    return log.read_text(encoding="utf-8").splitlines().count("called") if log.exists() else 0


def test_an_image_is_made_once(log: Path) -> None:
    messages: list[str] = []
    first = image("bookworm", info=messages.append)
    assert image("bookworm", info=messages.append) == first
    assert calls(log) == 1
    assert len(messages) == 1


def test_concurrent_builders_make_a_single_image(log: Path) -> None:
    images: list[Path] = []
    threads = [threading.Thread(target=lambda: images.append(image("trixie"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls(log) == 1
    assert len(set(images)) == 1
    assert len(images) == 3


def test_the_suite_is_another_and_the_mirror_the_machines_own(log: Path) -> None:
    lines = [
        (image(suite) / "etc/mirror").read_text(encoding="utf-8")
        for suite in ("bookworm", "trixie")
    ]
    assert lines[0].startswith("deb ")
    assert " bookworm main" in lines[0]
    assert lines[1] == lines[0].replace(" bookworm main", " trixie main")
    assert calls(log) == 2


def test_an_image_that_fails_leaves_nothing_and_says_why(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDS_WITH", "1")
    with pytest.raises(HadebError) as error:
        image("bookworm")
    assert "bookworm" in error.value.message
    assert error.value.hint
    images = log.parent / "cache" / "images"
    assert [path.name for path in images.iterdir() if path.is_dir()] == []
    monkeypatch.delenv("ENDS_WITH")
    assert image("bookworm").is_dir()


def test_leftovers_of_a_killed_builder_are_swept(log: Path) -> None:
    left = log.parent / "cache" / "images" / ".bookworm-abcd.d"
    (left / "root" / "etc").mkdir(parents=True)
    image("bookworm")
    assert not left.exists()


def test_kill_9_while_an_image_is_made_ends_the_making(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDS_IT_TAKES", "98765")
    make = "from hadeb.lab.node.image import image; image('bookworm')"
    maker = subprocess.Popen([sys.executable, "-c", make])
    wait_until(lambda: calls(log) == 1)
    wait_until(lambda: bool(sleepers()))
    maker.kill()
    maker.wait()
    wait_until(lambda: not sleepers())
    monkeypatch.delenv("SECONDS_IT_TAKES")
    assert image("bookworm").is_dir()


def sleepers() -> list[str]:
    """The fake's children that are still running."""
    commands = []
    for directory in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            commands.append((directory / "cmdline").read_bytes())
    return [command.decode() for command in commands if b"sleep\x0098765" in command]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_packages_are_asked_for_and_their_image_is_kept_apart(log: Path) -> None:
    bare = image("trixie")
    assert "redis" not in log.read_text("utf-8")
    assert image("trixie", ["redis"]) != bare
    (include,) = [line for line in log.read_text("utf-8").splitlines() if ",redis" in line]
    assert include.startswith("--include=systemd,")
    assert "pacemaker" in include
    assert image("trixie", ["redis"]).is_dir()
    assert bare.is_dir()
    assert calls(log) == 2


MONTH = 30 * 86400


def aged(path: Path, seconds: float) -> Path:
    """A directory that was used so long ago."""
    path.mkdir(parents=True, exist_ok=True)
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


def test_making_an_image_removes_those_unused_for_a_month(log: Path) -> None:
    images = log.parent / "cache" / "images"
    (images / "bookworm-old" / "etc").mkdir(parents=True)
    old = aged(images / "bookworm-old", MONTH + 60)
    recent = aged(images / "trixie-recent", MONTH - 60)
    hidden = aged(images / ".bookworm.lock-of-another", MONTH + 60)
    made = image("bookworm")
    assert not old.exists()
    assert recent.is_dir()
    assert hidden.is_dir()
    assert made.is_dir()


def test_using_an_image_keeps_it(log: Path) -> None:
    used = image("bookworm")
    aged(used, MONTH + 60)
    assert image("bookworm") == used
    image("trixie")
    assert used.is_dir()
    assert calls(log) == 2


def test_an_image_that_is_made_counts_as_used(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # mmdebstrap may give the root directory any time stamp.
    fake = log.parent / "bin" / "mmdebstrap"
    script = fake.read_text("utf-8").replace("exit ", 'touch -d 2001-01-01 "$root"\nexit ')
    fake.write_text(script, encoding="utf-8")
    assert image("bookworm").is_dir()
    assert image("bookworm", ["redis"]).is_dir()
    assert image("bookworm").is_dir()
    assert calls(log) == 2


def test_without_mmdebstrap_the_package_is_named(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = log.parent / "few"
    tools.mkdir()
    for tool in ("apt-get", "apt-config", "dpkg", "setpriv", "unshare"):
        if program := shutil.which(tool):
            (tools / tool).symlink_to(program)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(ToolMissing) as error:
        image("bookworm")
    assert error.value.hint == "sudo apt-get install mmdebstrap"
