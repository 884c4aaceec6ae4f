# SPDX-License-Identifier: Apache-2.0
"""What prune removes from an object store, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.repo.object_store import (
    HELLO,
    Killed,
    Reader,
    Stored,
    before_each_change,
    refused,
)


@pytest.mark.usefixtures("old")
def test_prune_removes_unlisted_objects_and_keeps_what_clients_may_request(
    stored: Stored, tmp_path: Path
) -> None:
    for file in HELLO:
        stored.publish(file)
    stored.call("repo", "remove", "hello=1.0", "staging")
    stored.write("pool/main/l/left/left_1_all.deb", b"by a killed command")
    before = stored.objects().keys()
    pruned = stored.json("prune", "--keep", "2")
    assert pruned["generations"] == ["staging/1", "staging/2"]
    assert pruned["files"] == ["pool/main/l/left/left_1_all.deb"]
    gone = before - stored.objects().keys()
    assert {path for path in gone if path.startswith("pool/")} == {*pruned["files"]}
    # Of the generations 1 and 2: their files, and Packages by its hash.
    assert len([path for path in gone if path.startswith(".hadeb/generations/")]) == 2
    assert len([path for path in gone if "/by-hash/" in path]) == 2
    assert len(gone) == 5
    assert stored.json("prune", "--keep", "1")["files"] == ["pool/main/h/hello/hello_1.0_all.deb"]
    assert Reader(tmp_path / "reader", stored).newest("hello") == "3.0"
    stored.call("repo", "verify")


@pytest.mark.parametrize("again", [False, True])
def test_prune_leaves_what_clients_had_until_a_moment_ago_however_old_its_follower_is(
    stored: Stored, tmp_path: Path, again: bool
) -> None:
    stored.publish(HELLO[0])

    def kill(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            raise Killed

    with before_each_change(kill), pytest.raises(Killed):
        stored.hadeb(*stored.words(HELLO[1]))
    state = json.loads(stored.objects()[".hadeb/state.json"])
    for kept in state["generations"]["staging"].values():
        kept["time"] -= 2 * 86400
    stored.write(".hadeb/state.json", json.dumps(state).encode())
    reader = Reader(tmp_path / "reader", stored)
    assert reader.newest("hello") == "1.0"
    if again:
        # Now this generation and the next are in force.
        stored.publish(HELLO[1])
        stored.publish(HELLO[2])
    assert stored.json("prune", "--keep", "1")["generations"] == []
    assert reader.newest("hello") == ("3.0" if again else "2.0")
    # The pages that the kill has left behind are not prune's.
    stored.call("repo", "refresh")
    stored.call("repo", "verify")


def test_prune_leaves_objects_that_may_be_about_to_be_published(stored: Stored) -> None:
    stored.publish(HELLO[0])
    stored.write("pool/main/l/left/left_1_all.deb", b"a moment ago")
    assert stored.json("prune") == {"generations": [], "files": [], "size": 0, "dry_run": False}
    assert "pool/main/l/left/left_1_all.deb" in stored.objects()


@pytest.mark.usefixtures("old")
def test_objects_under_removal_are_not_published_until_prune_ends(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hadeb.cli.repo_command._ATTEMPTS", 2)
    stored.publish(HELLO[0], "world_1.0_all.deb")
    stored.call("repo", "remove", "hello", "staging")

    def kill(number: int, path: str) -> None:
        if path == "pool/ and others, removed":
            raise Killed

    with before_each_change(kill), pytest.raises(Killed):
        stored.hadeb("prune", "--keep", "1")
    done = stored.hadeb(*stored.words(HELLO[0]))
    refused(done, "pool/main/h/hello/hello_1.0_all.deb is being removed")
    assert "run hadeb prune to finish it" in done.stderr
    stored.publish("world_2.0_all.deb")
    stored.call("prune", "--keep", "1")
    assert "pool/main/h/hello/hello_1.0_all.deb" not in stored.objects()
    stored.publish(HELLO[0])
    stored.call("repo", "verify")
