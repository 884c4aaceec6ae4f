# SPDX-License-Identifier: Apache-2.0
"""Repositories in an object store: what clients see at each write, and concurrent publishers."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import shutil
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.client
import pytest

from hadeb.errors import HadebError
from hadeb.repo.commands import prune
from hadeb.repo.s3 import checkout, pool_placeholders, public_files, push
from hadeb.repo.s3.client import ObjectInfo, ObjectStore, PendingObject
from hadeb.repo.signing.keychain import Keychain, make_key, public_keys, secret_keys
from support.command import ROOT, Outcome, call_hadeb
from support.repo.object_store import (
    BUCKET,
    Killed,
    Reader,
    Server,
    Stored,
    before_each_change,
    killed_at,
)
from support.repo.object_store import server as storing
from support.repo.publisher import Publisher
from support.samples import is_exhaustive

_HELLO = ("hello_1.0_all.deb", "hello_2.0_all.deb", "hello_3.0_all.deb")
_NEXT = "trying again"
_PYPROJECT = ROOT / "pyproject.toml"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with storing() as made:
        yield made


@pytest.fixture
def stored(server: Server, publisher: Publisher) -> Stored:
    """A place with nothing in it, and the packages hello and world beside the publisher."""
    for version in ("1.0", "2.0", "3.0"):
        publisher.deb("hello", version)
        publisher.deb("world", version)
    return Stored(server, publisher, f"apt-{uuid.uuid4()}")


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time enough has passed for a prune to take what it may."""
    monkeypatch.setattr(prune, "_GRACE", -10)
    monkeypatch.setattr(pool_placeholders, "GRACE", -10)
    monkeypatch.setattr(push, "GRACE", -10)


def refused(done: Outcome, words: str, code: int = 1) -> None:
    assert done.code == code, done
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug: " not in done.stderr
    assert "/hadeb-bucket-" not in done.stderr, "it names the copy, which nobody knows"


def test_every_command_works_the_same_in_a_store_and_a_directory(
    stored: Stored, tmp_path: Path
) -> None:
    printed = stored.publish(_HELLO[0]).stdout
    assert printed.startswith("+ hello 1.0 all\n")
    assert printed.endswith("staging generation 1\n")
    reader = Reader(tmp_path / "staging", stored)
    assert reader.newest("hello") == "1.0"
    stored.publish(_HELLO[1], "world_1.0_all.deb")
    assert reader.newest("hello") == "2.0"
    stored.call("promote", "hello", "staging", "stable")
    stored.call("promote", "hello", "stable", "stable", "--phase", "10")
    assert Reader(tmp_path / "stable", stored, "stable").newest("hello") == "2.0"
    assert "- hello 2.0 all" in stored.call("rollback", "staging").stdout
    assert stored.packages() == {"hello 1.0"}
    stored.call("rollback", "staging", "2")
    stored.call("repo", "remove", "world", "staging")
    assert stored.packages() == {"hello 1.0", "hello 2.0"}
    stored.call("repo", "refresh")
    assert [change["action"] for change in stored.json("repo", "history", "staging")] == (
        "refresh remove rollback rollback publish publish".split()
    )
    status = {suite["name"]: suite for suite in stored.json("repo", "status")["suites"]}
    assert (status["stable"]["generation"], status["staging"]["generation"]) == (3, 6)
    assert "everything is as it was published" in stored.call("repo", "verify").stderr
    assert reader.newest("hello") == "2.0"


def test_a_second_key_comes_and_the_first_goes_in_a_store(stored: Stored, tmp_path: Path) -> None:
    stored.publish(_HELLO[0])
    first = stored.publisher.key
    keychain = Keychain(stored.publisher.home)
    second = make_key(keychain, "the next signing key")
    stored.call("repo", "key", "add", second)
    assert Reader(tmp_path / "first", stored).newest("hello") == "1.0"
    stored.call("repo", "key", "drop", first)
    keyring = tmp_path / "second.pgp"
    keyring.write_bytes(public_keys(keychain, secret_keys(keychain, [second])).binary)
    publisher = Publisher(stored.publisher.place, stored.publisher.home, second, keyring)
    reader = Reader(tmp_path / "second", Stored(stored.server, publisher, stored.prefix))
    assert reader.newest("hello") == "1.0"
    stored.call("repo", "verify")


def test_a_client_gets_the_old_suite_or_the_new_one_between_any_two_writes(
    stored: Stored, tmp_path: Path
) -> None:
    stored.publish(_HELLO[0])
    stays, seen = Reader(tmp_path / "stays", stored), []
    stays.newest("hello")

    def look(number: int, path: str) -> None:
        comes = Reader(tmp_path / f"comes-{number}", stored)
        versions = {stays.newest("hello"), comes.newest("hello")}
        assert len(versions) == 1, f"before {path}"
        seen.append((path, *versions))

    with before_each_change(look):
        stored.publish(_HELLO[1])
    switch = [path for path, _ in seen].index("dists/staging/InRelease")
    assert {version for _, version in seen[: switch + 1]} == {"1.0"}
    assert {version for _, version in seen[switch + 1 :]} == {"2.0"}
    assert stays.newest("hello") == "2.0"


def _step(path: str) -> int:
    """What part of the order a path is of: within one, several are written at the same time."""
    if path.startswith("pool/"):
        return 0
    if "/by-hash/" in path:
        return 1
    if path.startswith(".hadeb/"):
        return 3 if path.endswith("state.json") else 2
    if path.startswith("dists/"):
        return 5 if path.endswith("/InRelease") else 4
    return 6


def test_writes_come_in_the_order_in_which_clients_can_follow(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    paths: list[str] = []
    with before_each_change(lambda _, path: paths.append(path)):
        stored.publish(_HELLO[1])

    steps = [_step(path) for path in paths]
    assert steps == sorted(steps)
    assert {*steps} == {*range(7)}


def _template(stored: Stored, scene: str) -> None:
    """What is there before the command of a scene."""
    if scene == "first publish":
        return
    stored.publish(_HELLO[0], "world_1.0_all.deb")
    stored.publish(_HELLO[1])
    if scene == "prune":
        stored.call("repo", "remove", "hello=1.0", "staging")


_SCENES = {
    "first publish": ([_HELLO[0]], None, "1.0", "+ hello 1.0 all"),
    "publish": ([_HELLO[2]], "2.0", "3.0", "+ hello 3.0 all"),
    "promote": (["promote", "hello", "staging", "stable"], "2.0", "2.0", "stable generation 1"),
    "rollback": (["rollback", "staging", "1"], "2.0", "1.0", "- hello 2.0 all"),
    "prune": (["prune", "--keep", "1"], "2.0", "2.0", "- staging/1"),
}


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
    steps = [_step(path) for path, _ in itertools.groupby(paths)]
    moments = [
        number
        for number, step in enumerate(steps)
        if is_exhaustive() or number == 0 or step != steps[number - 1]
    ]
    assert len(moments) > 2
    for number in moments:
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
    for file in _HELLO:
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


def test_concurrent_publishers_both_get_in(stored: Stored, tmp_path: Path) -> None:
    stored.publish(_HELLO[0])
    wanted = {"hello 1.0"}
    for number in range(3):
        debs = [stored.publisher.deb(name, f"{number}.9") for name in ("left", "right")]
        wanted |= {f"left {number}.9", f"right {number}.9"}
        calls = [stored.words(deb) for deb in debs]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda words: stored.elsewhere(*words), calls))
        assert [outcome.code for outcome in done] == [0, 0], done
    assert stored.packages() == wanted
    assert Reader(tmp_path / "reader", stored).newest("right") == "2.9"
    stored.call("repo", "verify")


@pytest.mark.parametrize(
    "moment", ["pool/", ".hadeb/state.json", "/Release", "/InRelease", ".html"]
)
def test_an_overtaken_publisher_loses_nothing_and_reverts_nothing(
    stored: Stored, tmp_path: Path, moment: str
) -> None:
    stored.publish(_HELLO[0])
    other: list[Outcome] = []

    def overtake(number: int, path: str) -> None:
        if moment in path and not other:
            other.append(stored.elsewhere(*stored.words("world_1.0_all.deb")))

    with before_each_change(overtake):
        done = stored.publish(_HELLO[1])
    assert [outcome.code for outcome in other] == [0], other
    assert (_NEXT in done.stderr) == (moment in {"pool/", ".hadeb/state.json"})
    assert stored.packages() == {"hello 1.0", "hello 2.0", "world 1.0"}
    reader = Reader(tmp_path / "reader", stored)
    assert (reader.newest("hello"), reader.newest("world")) == ("2.0", "1.0")
    stored.call("repo", "verify")


def test_new_suites_of_two_publishers_at_once_are_both_known(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    other: list[Outcome] = []

    def overtake(number: int, path: str) -> None:
        if not other:
            other.append(stored.elsewhere(*stored.words("world_1.0_all.deb", suite="left")))

    with before_each_change(overtake):
        stored.publish(_HELLO[1], suite="right")
    suites = [suite["name"] for suite in stored.json("repo", "status")["suites"]]
    assert suites == ["left", "right", "staging"]


def test_an_answer_that_was_lost_is_not_taken_for_another_publisher(stored: Stored) -> None:
    """boto3 then tries again, and finds that the condition holds no more."""
    stored.publish(_HELLO[0])
    put = ObjectStore.put

    def twice(store: ObjectStore, path: str, content: Any, etag: str | None) -> Any:
        put(store, path, content, etag)
        return put(store, path, content, etag)

    with mock.patch.object(ObjectStore, "put", twice):
        done = stored.call("repo", "remove", "hello", "staging")
    assert _NEXT not in done.stderr
    assert stored.packages() == set()
    stored.call("repo", "verify")


def test_a_store_failure_before_the_switch_names_the_command_that_finishes(
    stored: Stored, tmp_path: Path
) -> None:
    stored.publish(_HELLO[0])

    def fail(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            raise HadebError("the store is out of order")

    with before_each_change(fail):
        done = stored.hadeb(*stored.words(_HELLO[1]))
    refused(done, "the store is out of order; the change is recorded, but clients do not")
    assert "run the same command again" in done.stderr
    reader = Reader(tmp_path / "reader", stored)
    assert reader.newest("hello") == "1.0"
    stored.publish(_HELLO[1])
    assert reader.newest("hello") == "2.0"


def test_a_suite_that_another_program_keeps_writing_is_reported(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_files, "ATTEMPTS", 2)
    stored.publish(_HELLO[0])

    def meddle(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            stored.write(path, f"{number}".encode())

    with before_each_change(meddle):
        done = stored.hadeb(*stored.words(_HELLO[1]))
    refused(done, "another program than hadeb writes the files of the suites")


def test_keys_that_are_no_paths_are_left_alone(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    for key in ("dists/", "dists/staging/../../outside", "./page"):
        stored.write(key, b"another program's")
    stored.call("repo", "verify")
    stored.publish(_HELLO[1])
    assert stored.objects()["dists/staging/../../outside"] == b"another program's"


def test_a_publisher_overtaken_repeatedly_gives_up_and_leaves_the_suite(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.publish(_HELLO[0])
    served = {path: content for path, content in stored.objects().items() if "dists" in path}
    monkeypatch.setattr("hadeb.cli.repo_command._ATTEMPTS", 2)
    monkeypatch.setattr("hadeb.cli.repo_command._LONGEST_WAIT", 0)

    def overtake(number: int, path: str) -> None:
        if path == ".hadeb/state.json":
            stored.write(path, stored.objects()[path] + b" " * number)

    with before_each_change(overtake):
        done = stored.hadeb(*stored.words(_HELLO[1]))
    refused(done, "; nothing of this change is in force")
    assert done.stdout == ""
    now = stored.objects()
    assert {path: now[path] for path in served} == served


def test_a_package_with_other_bytes_takes_nobodys_name(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    other = stored.publisher.deb("hello", "1.0", content="another", directory="other")
    before = stored.objects()
    refused(stored.hadeb(*stored.words(other)), "with other bytes: a changed package needs a new")
    refused(
        stored.hadeb(*stored.words(other, suite="stable")),
        "pool/main/h/hello/hello_1.0_all.deb is published with other bytes",
    )
    assert stored.objects() == before


@pytest.mark.parametrize("seen", [True, False])
def test_an_object_that_no_list_names_is_not_overwritten_by_other_bytes(
    stored: Stored, seen: bool
) -> None:
    stored.publish("world_1.0_all.deb")
    path = "pool/main/h/hello/hello_1.0_all.deb"

    def take(number: int, written: str) -> None:
        if written == path:
            stored.write(path, b"another's")

    if seen:
        stored.write(path, b"another's")
    with contextlib.nullcontext() if seen else before_each_change(take):
        refused(stored.hadeb(*stored.words(_HELLO[0])), f"{path} is already in {stored.place}")
    assert stored.objects()[path] == b"another's"
    assert stored.packages() == {"world 1.0"}


@pytest.mark.parametrize("seen", [True, False])
def test_an_object_with_the_same_bytes_is_no_conflict(stored: Stored, seen: bool) -> None:
    stored.publish("world_1.0_all.deb")
    path = "pool/main/h/hello/hello_1.0_all.deb"
    content = (stored.publisher.place / _HELLO[0]).read_bytes()

    def take(number: int, written: str) -> None:
        if written == path:
            stored.write(path, content)

    if seen:
        stored.write(path, content)
    with contextlib.nullcontext() if seen else before_each_change(take):
        stored.publish(_HELLO[0])
    assert stored.packages() == {"hello 1.0", "world 1.0"}


def test_a_store_that_ignores_conditions_gets_no_repository(stored: Stored) -> None:
    put = ObjectStore.put

    def careless(store: ObjectStore, path: str, content: Any, etag: str | None) -> Any:
        stored.remove(path)
        return put(store, path, content, None)

    with mock.patch.object(ObjectStore, "put", careless):
        refused(stored.hadeb(*stored.words(_HELLO[0])), "in spite of If-None-Match")
    assert "dists/staging/InRelease" not in stored.objects()


def test_objects_have_a_content_type_and_changing_ones_are_revalidated(
    stored: Stored,
) -> None:
    stored.publish(_HELLO[0])
    heads = {path: stored.head(path) for path in stored.objects()}
    kept = {path for path, head in heads.items() if "immutable" in head["CacheControl"]}
    assert kept == {path for path in heads if path.startswith("pool/") or "/by-hash/" in path}
    assert {head["CacheControl"] for path, head in heads.items() if path not in kept} == {
        "no-cache"
    }
    for path, kind in {
        "dists/staging/InRelease": "text/plain; charset=utf-8",
        "dists/staging/main/binary-amd64/Packages.gz": "application/gzip",
        "dists/staging/manifest.json": "application/json",
        "dists/staging/manifest.json.asc": "text/plain; charset=utf-8",
        "index.html": "text/html; charset=utf-8",
        "install.sh": "text/plain; charset=utf-8",
        "pool/main/h/hello/hello_1.0_all.deb": "application/vnd.debian.binary-package",
        "sample-archive-keyring.asc": "text/plain; charset=utf-8",
        "sample-archive-keyring.pgp": "application/pgp-keys",
    }.items():
        assert heads[path]["ContentType"] == kind


@contextlib.contextmanager
def _requests() -> Iterator[list[str]]:
    made: list[str] = []
    call = botocore.client.BaseClient._make_api_call

    def counted(client: Any, operation: str, words: Any) -> Any:
        made.append(f"{operation} {words.get('Key', '')}")
        return call(client, operation, words)

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", counted):
        yield made


def test_a_publish_asks_little_of_the_store_and_downloads_no_package(stored: Stored) -> None:
    debs = [stored.publisher.deb(f"many-{number}", "1.0") for number in range(100)]
    with _requests() as first:
        stored.publish(*debs)
    assert len(first) <= 100 + 25
    # An InRelease that comes within a second of the one before is put twice.
    time.sleep(1.1)
    with _requests() as second:
        stored.publish(_HELLO[0])
    assert len(second) <= 15, second
    assert not [made for made in second if made.startswith("GetObject") and "/pool/" in made]
    with _requests() as third:
        stored.call("promote", "hello", "staging", "stable")
    assert not [made for made in third if "/pool/" in made]


def test_a_dry_run_writes_nothing_to_the_store(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    stored.publish(_HELLO[1])
    before = stored.objects()
    for words in (
        stored.words(_HELLO[2]),
        ["promote", "hello", "staging", "stable"],
        ["rollback", "staging"],
        ["prune", "--keep", "1"],
        ["repo", "remove", "hello", "staging"],
    ):
        stored.call(*words, "--dry-run")
    assert stored.objects() == before


def test_nothing_of_the_copy_is_left_on_this_machine(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    stored.call("repo", "status")
    stored.hadeb("rollback", "staging")
    assert list((stored.publisher.place / "tmp").glob("hadeb-bucket-*")) == []


@pytest.mark.usefixtures("old")
def test_prune_removes_unlisted_objects_and_keeps_what_clients_may_request(
    stored: Stored, tmp_path: Path
) -> None:
    for file in _HELLO:
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
    stored.publish(_HELLO[0])

    def kill(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            raise Killed

    with before_each_change(kill), pytest.raises(Killed):
        stored.hadeb(*stored.words(_HELLO[1]))
    state = json.loads(stored.objects()[".hadeb/state.json"])
    for kept in state["generations"]["staging"].values():
        kept["time"] -= 2 * 86400
    stored.write(".hadeb/state.json", json.dumps(state).encode())
    reader = Reader(tmp_path / "reader", stored)
    assert reader.newest("hello") == "1.0"
    if again:
        # Now this generation and the next are in force.
        stored.publish(_HELLO[1])
        stored.publish(_HELLO[2])
    assert stored.json("prune", "--keep", "1")["generations"] == []
    assert reader.newest("hello") == ("3.0" if again else "2.0")
    # The pages that the kill has left behind are not prune's.
    stored.call("repo", "refresh")
    stored.call("repo", "verify")


def test_prune_leaves_objects_that_may_be_about_to_be_published(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    stored.write("pool/main/l/left/left_1_all.deb", b"a moment ago")
    assert stored.json("prune") == {"generations": [], "files": [], "size": 0, "dry_run": False}
    assert "pool/main/l/left/left_1_all.deb" in stored.objects()


@pytest.mark.usefixtures("old")
def test_objects_under_removal_are_not_published_until_prune_ends(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hadeb.cli.repo_command._ATTEMPTS", 2)
    stored.publish(_HELLO[0], "world_1.0_all.deb")
    stored.call("repo", "remove", "hello", "staging")

    def kill(number: int, path: str) -> None:
        if path == "pool/ and others, removed":
            raise Killed

    with before_each_change(kill), pytest.raises(Killed):
        stored.hadeb("prune", "--keep", "1")
    done = stored.hadeb(*stored.words(_HELLO[0]))
    refused(done, "pool/main/h/hello/hello_1.0_all.deb is being removed")
    assert "run hadeb prune to finish it" in done.stderr
    stored.publish("world_2.0_all.deb")
    stored.call("prune", "--keep", "1")
    assert "pool/main/h/hello/hello_1.0_all.deb" not in stored.objects()
    stored.publish(_HELLO[0])
    stored.call("repo", "verify")


def test_verify_names_what_changed_in_the_store(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    stored.publish(_HELLO[1])
    stored.write("pool/main/h/hello/hello_1.0_all.deb", b"x" * 10)
    stored.remove("pool/main/h/hello/hello_2.0_all.deb")
    (index,) = (path for path in stored.objects() if "source/by-hash" in path)
    stored.remove(index)
    done = stored.hadeb("repo", "verify")
    assert done.code == 4
    for words in (
        "hello_1.0_all.deb has changed in the pool",
        "hello_2.0_all.deb is gone from the pool",
        f"{index} is gone",
    ):
        assert words in done.stdout


def test_verify_reports_that_clients_do_not_yet_get_the_current_generation(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    old = stored.objects()["dists/staging/InRelease"]
    stored.publish(_HELLO[1])
    stored.write("dists/staging/InRelease", old)
    done = stored.hadeb("repo", "verify")
    assert done.code == 4
    assert "dists/staging/InRelease is not that of generation 2; the next command" in done.stdout
    stored.publish(_HELLO[1])
    stored.call("repo", "verify")


def test_promote_refuses_a_package_missing_from_the_store(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    stored.remove("pool/main/h/hello/hello_1.0_all.deb")
    done = stored.hadeb("promote", "hello", "staging", "stable")
    refused(done, "pool/main/h/hello/hello_1.0_all.deb is gone from the pool")


def test_a_switch_is_dated_at_least_a_second_after_the_last(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client asks for changes since that second, and would get none."""
    stored.publish(_HELLO[0])
    path = "dists/staging/InRelease"
    slept: list[float] = []
    monkeypatch.setattr("hadeb.repo.s3.public_files.time.sleep", slept.append)
    store = ObjectStore(stored.server.client, mock.Mock())
    monkeypatch.setattr(ObjectStore, "_named", lambda _, path: {"Bucket": BUCKET, "Key": path})
    etag, _ = store.put(path, b"first", None)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    listing = {path: ObjectInfo(5, etag, now + datetime.timedelta(seconds=1))}
    public_files._put_changed(store, [PendingObject(path, b"second")], listing)
    assert slept == [1.1]
    assert store.get(path) == (b"second", mock.ANY)


def test_without_boto3_the_command_that_installs_it_is_named(stored: Stored) -> None:
    with mock.patch.dict(sys.modules, {"boto3": None}):
        done = stored.hadeb("repo", "status")
    refused(done, "needs boto3, which is not installed", code=5)
    (wanted,) = tomllib.loads(_PYPROJECT.read_text())["project"]["optional-dependencies"]["s3"]
    assert f"{sys.executable} -m pip install '{wanted}'" in done.stderr


def test_a_boto3_that_knows_no_conditions_is_refused(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = mock.Mock()
    old = session.return_value.client.return_value
    old.meta.service_model.operation_model.return_value.input_shape.members = {"Body": None}
    monkeypatch.setattr(boto3, "Session", session)
    refused(stored.hadeb("repo", "status"), "is too old", code=5)


@pytest.mark.parametrize("place", ["s3://", "s3://UPPER/x", f"s3://{BUCKET}/a b", "s3://abc/../x"])
def test_an_invalid_location_is_refused(stored: Stored, place: str) -> None:
    words = ("repo", "status", "--repo", place)
    done = call_hadeb(*words, directory=stored.publisher.place, environment=stored.environment)
    refused(done, "is not a location in an object store", code=2)


def test_a_missing_bucket_is_named(stored: Stored) -> None:
    words = ("repo", "status", "--repo", "s3://nonesuch/apt")
    done = call_hadeb(*words, directory=stored.publisher.place, environment=stored.environment)
    refused(done, "s3://nonesuch/apt: NoSuchBucket")
    assert "create the bucket first" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words", "hint"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect", "AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint", "AWS_ENDPOINT_URL"),
        ("AWS_ACCESS_KEY_ID", "", "Unable to locate credentials", "AWS_PROFILE"),
    ],
)
def test_an_unreachable_store_names_the_setting_that_helps(
    stored: Stored, variable: str, value: str, words: str, hint: str
) -> None:
    environment = {**stored.environment, variable: value, "AWS_EC2_METADATA_DISABLED": "true"}
    if not value:
        del environment[variable]
    done = call_hadeb(
        *("repo", "status", "--repo", stored.place),
        directory=stored.publisher.place,
        environment={**environment, "AWS_MAX_ATTEMPTS": "1"},
    )
    refused(done, words)
    assert hint in done.stderr


def test_a_location_without_a_repository_is_named(stored: Stored) -> None:
    for words in (["repo", "status"], ["repo", "verify"], ["prune"], ["rollback", "staging"]):
        refused(stored.hadeb(*words), f"there is no repository in {stored.place}", code=2)
    assert stored.objects() == {}


def test_a_new_repository_in_a_bucket_needs_a_url(stored: Stored) -> None:
    done = stored.hadeb("publish", _HELLO[0], "--suite", "staging", "--key", stored.publisher.key)
    refused(done, "a bucket can have many URLs", code=2)
    assert "--url" in done.stderr
    assert stored.objects() == {}


def test_a_new_repository_in_a_bucket_is_named_after_its_location(stored: Stored) -> None:
    words = ("--suite", "staging", "--url", stored.url, "--key", stored.publisher.key)
    stored.call("publish", _HELLO[0], *words)
    assert f"{stored.prefix}.sources" in stored.objects()


def test_a_repository_that_another_tool_put_there_is_not_overwritten(stored: Stored) -> None:
    stored.write("dists/staging/InRelease", b"another's")
    refused(stored.hadeb(*stored.words(_HELLO[0])), "hadeb did not put it there")
    assert stored.objects() == {"dists/staging/InRelease": b"another's"}


def test_a_state_of_another_release_is_not_touched(stored: Stored) -> None:
    stored.write(".hadeb/state.json", b'{"format": 2}')
    refused(stored.hadeb("repo", "status"), "has the format of another release of hadeb")
    stored.write(".hadeb/state.json", b"{")
    refused(stored.hadeb("repo", "status"), "/.hadeb/state.json is damaged")


def test_a_generation_that_is_gone_or_damaged_is_named(stored: Stored) -> None:
    stored.publish(_HELLO[0])
    (pack,) = (path for path in stored.objects() if path.startswith(".hadeb/generations/"))
    stored.write(pack, b"no archive")
    refused(stored.hadeb("repo", "list"), f"{pack} is damaged")
    stored.remove(pack)
    refused(stored.hadeb("repo", "list"), f"{pack}, which holds a generation, is gone")


def test_a_version_with_a_plus_and_a_tilde_is_found_by_its_url(
    stored: Stored, tmp_path: Path
) -> None:
    """A store takes + in a URL for a blank; apt says %2b."""
    stored.publish(stored.publisher.deb("hello", "1.0+b1~rc1"))
    assert Reader(tmp_path / "reader", stored).newest("hello") == "1.0+b1~rc1"


def test_publishing_needs_no_room_for_the_pool(stored: Stored) -> None:
    """A placeholder has a package's size, and takes no room on the disk."""
    stored.publish(stored.publisher.deb("large", "1.0", size=5_000_000))
    taken: list[int] = []
    check_out = checkout._check_out

    def measured(*arguments: Any) -> Any:
        copy = check_out(*arguments)
        top = copy.tree.root.parent
        files = [path for path in top.rglob("*") if path.is_file()]
        taken.append(sum(path.lstat().st_blocks * 512 for path in files))
        return copy

    with mock.patch.object(checkout, "_check_out", measured):
        stored.call("repo", "list")
    assert taken[0] < 1_000_000
    shutil.rmtree(stored.publisher.place / "tmp", ignore_errors=True)
