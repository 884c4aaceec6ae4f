# SPDX-License-Identifier: Apache-2.0
"""Concurrent clients and publishers; `make repo-races` runs more of them."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
from pathlib import Path

from support.command import ENVIRONMENT, HADEB
from support.repo import inspection
from support.repo.publisher import Publisher
from targets import repo_races


def test_an_update_never_fails_while_the_suite_changes(
    publisher: Publisher, tmp_path: Path
) -> None:
    seen = repo_races.updates(publisher, tmp_path, 12)
    assert seen.complaints == ()
    assert seen.runs == 12
    assert seen.overtaken > 0


def test_concurrent_publishers_both_get_in(publisher: Publisher, tmp_path: Path) -> None:
    named = [
        repo_races.waited(repo_races.pair(publisher, tmp_path / "repository", n)) for n in range(3)
    ]
    assert any(named)
    assert inspection.leftovers(tmp_path / "repository") == []


def test_a_waiting_publisher_names_the_holder_and_goes_on_when_the_lock_is_free(
    publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    with (root / ".hadeb/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("somebody@elsewhere\n")
        lock.flush()
        waiting = subprocess.Popen(
            [
                *HADEB,
                "publish",
                publisher.deb("hello", "2.0"),
                "--repo",
                root,
                "--suite",
                "staging",
            ],
            env={**ENVIRONMENT, **publisher.environment()},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr is not None
        assert "waiting for somebody@elsewhere" in waiting.stderr.readline()
        assert "hello_2.0_all.deb" not in inspection.packages(root, "staging")
    _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, stderr
    assert "hello_2.0_all.deb" in inspection.packages(root, "staging")


def test_a_killed_lock_holder_does_not_block_others(publisher: Publisher, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    script = (
        "import fcntl, os, signal, sys\n"
        "lock = open(sys.argv[1], 'r+')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "lock.write('the late one\\n')\n"
        "lock.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, root / ".hadeb/lock"], check=False)
    assert "the late one" in (root / ".hadeb/lock").read_text()
    assert not re.search("waiting", publisher.publish(root, publisher.deb("hello", "2.0")).stderr)
