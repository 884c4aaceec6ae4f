# SPDX-License-Identifier: Apache-2.0
"""A command that is killed between two writes to an object store, and the command after it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from support.repo.object_store import (
    HELLO,
    Killed,
    Reader,
    Stored,
    before_each_change,
    killed_at,
    refused,
    step_of,
)
from support.samples import is_exhaustive


def _template(stored: Stored, scene: str) -> None:
    """What is there before the command of a scene."""
    if scene == "first publish":
        return
    stored.publish(HELLO[0], "world_1.0_all.deb")
    stored.publish(HELLO[1])
    if scene == "prune":
        stored.call("repo", "remove", "hello=1.0", "staging")


_SCENES = {
    "first publish": ([HELLO[0]], None, "1.0", "+ hello 1.0 all"),
    "publish": ([HELLO[2]], "2.0", "3.0", "+ hello 3.0 all"),
    "promote": (["promote", "hello", "staging", "stable"], "2.0", "2.0", "stable generation 1"),
    "rollback": (["rollback", "staging", "1"], "2.0", "1.0", "- hello 2.0 all"),
    "prune": (["prune", "--keep", "1"], "2.0", "2.0", "- staging/1"),
}


def _moments(scene: str, steps: list[int]) -> list[int]:
    """The writes before which to kill; a sample has the first of each step, or of a few."""
    if is_exhaustive():
        return list(range(len(steps)))
    first = [0, *(number for number in range(1, len(steps)) if steps[number] != steps[number - 1])]
    assert len(first) > 2
    # What one command shows between its steps the others need not show again: the start, the
    # middle, which is where the suite is switched, and the end.
    return first if scene == "publish" else [first[0], first[len(first) // 2], first[-1]]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("scene", _SCENES)
def test_the_same_command_finishes_what_was_killed_between_any_two_writes(
    stored: Stored, tmp_path: Path, scene: str
) -> None:
    words, before, after, printed = _SCENES[scene]
    command = stored.words(*words) if "publish" in scene else words
    template = Stored(stored.server, stored.publisher, f"{stored.prefix}-template")
    _template(template, scene)
    paths: list[str] = []

    def copied(name: str) -> Stored:
        here = Stored(stored.server, stored.publisher, f"{stored.prefix}-{name}")
        stored.server.copy(template.prefix, here.prefix)
        return here

    with before_each_change(lambda _, path: paths.append(path)):
        assert printed in copied("whole").call(*command).stdout
    # An InRelease that comes within a second of the one before is put twice; whether it does is a
    # matter of this machine's speed, and the next run may have one change less.
    steps = [step_of(path) for path, _ in itertools.groupby(paths)]
    for number in _moments(scene, steps):
        here = copied(str(number))
        with pytest.raises(Killed), killed_at(number):
            here.call(*command)
        reader = Reader(tmp_path / f"reader-{number}", here)
        if before:
            assert reader.newest("hello") in {before, after}
        again = here.hadeb(*command)
        # What goes back by itself would go back twice; it says so instead.
        assert again.code == 0 or "it is in force now" in again.stderr, again
        assert reader.newest("hello") == after
        if number % 4 == 0:
            here.call("repo", "verify")


def test_a_rollback_after_a_kill_does_not_go_back_twice(stored: Stored, tmp_path: Path) -> None:
    for file in HELLO:
        stored.publish(file)

    def kill(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            raise Killed

    with before_each_change(kill), pytest.raises(Killed):
        stored.hadeb("rollback", "staging")
    reader = Reader(tmp_path / "reader", stored)
    assert reader.newest("hello") == "3.0"
    refused(stored.hadeb("rollback", "staging"), "a change of staging was interrupted")
    assert reader.newest("hello") == "2.0"
    assert stored.packages() == {"hello 1.0", "hello 2.0"}
