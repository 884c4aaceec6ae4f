# SPDX-License-Identifier: Apache-2.0
"""Kills hadeb at some points of a repository change; `make repo-kills` tries every point."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from hadeb.repo.signing.keychain import Keychain, make_key
from support.repo import inspection
from support.repo.preload import calls, interposed
from support.repo.publisher import Publisher
from targets.repo_kills import SCENES, Scene, Trial

# The steps that others build on: a kill before each of them is tried every time.
_TELLING = re.compile(
    r"rename .*/(dists/[a-z]+|staging/\d+)$|rename .*\.unfinished-|^link .*/pool/|rmdir .*/pool/"
)
_BESIDES = 2
# The kernel's names of what interposer.c counts.
_SYSTEM_CALLS = (
    "openat",
    "write",
    "pwrite64",
    "ftruncate",
    "fchmod",
    "chmod",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "fsync",
    "fdatasync",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "utimensat",
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_kill_leaves_clients_a_whole_suite_and_the_same_command_finishes(
    scene: Scene, publisher: Publisher, interposer: Path, tmp_path: Path
) -> None:
    trial = Trial(scene, publisher, interposer, tmp_path / "trial")
    points = trial.points
    telling = [n for n, call in enumerate(points, start=1) if _TELLING.search(call)][-3:]
    chance = random.Random(scene.name)
    for number in {*telling, *chance.sample(range(1, len(points) + 1), _BESIDES)}:
        assert trial.killed(number) == [], points[number - 1]


@pytest.fixture(scope="module")
def publish(
    publisher: Publisher, interposer: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trial:
    """A publish of two packages into a suite that has some."""
    return Trial(SCENES[1], publisher, interposer, tmp_path_factory.mktemp("publish") / "trial")


@pytest.mark.parametrize("number", [1, 2, 4, 8, 11])
def test_the_death_of_a_program_that_publish_starts_is_an_error_and_changes_no_suite(
    number: int, publish: Trial
) -> None:
    assert publish.killed(number, "kill_child") == []


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_program_that_outlives_a_killed_publish_spoils_nothing(
    part: float, publish: Trial
) -> None:
    number = 1 + round(part * (len(publish.started) - 1))
    assert publish.killed(number, "kill_after") == []


def test_no_call_that_changes_the_repository_goes_uncounted(publish: Trial, tmp_path: Path) -> None:
    counted = {_spelled(*call.split(" ", 1)) for call in publish.points}
    publish.fresh()
    log = tmp_path / "strace"
    traced = ("strace", "-f", "-y", "-s", "0", "-e", f"trace={','.join(_SYSTEM_CALLS)}", "-o", log)
    done = publish.publisher.hadeb(*publish.words(), under=traced)
    assert done.code == 0, done.stderr
    seen = set()
    for line in log.read_text().splitlines():
        call = re.match(r"\d+ +(\w+)\((.*)\) += (?!-1)", line)
        if call and not _only_reads(call[1], call[2]):
            target = _target(call[2])
            if target.startswith(f"{publish.root}/"):
                seen.add(_spelled(call[1], target))
    # What strace prints in two parts, since another thread came between, is not looked at.
    assert len(seen) > 30
    assert seen <= counted


def _only_reads(name: str, arguments: str) -> bool:
    return name == "openat" and "O_CREAT" not in arguments and "O_TRUNC" not in arguments


def _target(arguments: str) -> str:
    """What a call changes: its last path, or the file that it has open."""
    names = re.findall('"([^"]+)"', arguments)
    places = re.findall("<([^>]*)>", arguments)
    if not names:
        return places[0] if places else ""
    return names[-1] if names[-1].startswith("/") else f"{places[-1]}/{names[-1]}"


def _spelled(name: str, path: str) -> str:
    """A call in one spelling, without what is another every time."""
    kind = {"openat": "open", "open64": "open", "ftruncate64": "ftruncate"}.get(name, name)
    kind = "unlink" if kind in {"unlinkat", "rmdir"} else kind.removesuffix("at")
    return f"{kind} {re.sub('incoming-[^/]+|[0-9a-f]{64}', '*', path)}"


def test_a_key_that_a_killed_command_has_made_does_not_stop_the_next(
    publisher: Publisher, tmp_path: Path
) -> None:
    home = tmp_path / "keys"
    home.mkdir(mode=0o700)
    try:
        left = make_key(Keychain(home), "other archive signing key")
        done = publisher.hadeb(
            *(
                "publish",
                publisher.deb("hello", "1.0"),
                "--repo",
                tmp_path / "r",
                "--suite",
                "staging",
            ),
            *("--name", "other"),
            environment={"GNUPGHOME": str(home)},
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=True)
    assert done.code == 0, done.stderr
    assert left not in done.stderr


def test_a_long_served_generation_keeps_its_indexes_through_a_burst_of_publishes(
    publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    read = inspection.in_release(root, "staging")
    assert read
    _age(root / "dists/.generations/staging/1")
    for number in range(7):
        publisher.publish(root, publisher.deb("world", f"1.{number}"))
    assert list(inspection.faults(root, "staging", publisher.keyring, read)) == []


def _age(directory: Path) -> None:
    subprocess.run(["touch", "--date", "3 days ago", directory], check=True)


@pytest.mark.parametrize("command", ["publish", "prune", "rollback"])
def test_a_suite_whose_link_is_lost_is_refused_and_keeps_its_generations(
    command: str, publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    for version in ("1.0", "2.0"):
        publisher.publish(root, publisher.deb("hello", version))
    (root / "dists/staging").unlink()
    before = inspection.published(root)
    arguments = {
        "publish": ("publish", publisher.deb("world", "1.0"), "--suite", "staging"),
        "prune": ("prune", "--keep", "1"),
        "rollback": ("rollback", "staging"),
    }[command]
    done = publisher.hadeb(*arguments, "--repo", root)
    assert done.code == 1
    assert "is no longer a link to a generation of staging" in done.stderr
    assert "with the last of 1, 2 for N" in done.stderr
    assert inspection.published(root) == before


def test_a_signature_is_written_by_hadeb_alone(
    publisher: Publisher, interposer: Path, tmp_path: Path
) -> None:
    root, log = tmp_path / "repository", tmp_path / "calls"
    done = publisher.hadeb(
        *("publish", publisher.deb("hello", "1.0"), "--repo", root, "--suite", "staging"),
        *("--key", publisher.key),
        environment=interposed(interposer, root, log=log),
    )
    assert done.code == 0
    opened = [Path(call).name for call in calls(log) if call.startswith("open")]
    assert {"InRelease", "Release.gpg", "manifest.json.asc"} <= set(opened)
