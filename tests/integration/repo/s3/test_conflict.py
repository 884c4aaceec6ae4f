# SPDX-License-Identifier: Apache-2.0
"""Publishers that meet in an object store, and objects that are in the way."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from hadeb.repo.s3.client import ObjectStore
from support.command import Outcome
from support.repo.object_store import (
    HELLO,
    Reader,
    Stored,
    before_each_change,
    refused,
)

_NEXT = "trying again"


def test_concurrent_publishers_both_get_in(stored: Stored, tmp_path: Path) -> None:
    stored.publish(HELLO[0])
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
    stored.publish(HELLO[0])
    other: list[Outcome] = []

    def overtake(number: int, path: str) -> None:
        if moment in path and not other:
            other.append(stored.elsewhere(*stored.words("world_1.0_all.deb")))

    with before_each_change(overtake):
        done = stored.publish(HELLO[1])
    assert [outcome.code for outcome in other] == [0], other
    assert (_NEXT in done.stderr) == (moment in {"pool/", ".hadeb/state.json"})
    assert stored.packages() == {"hello 1.0", "hello 2.0", "world 1.0"}
    reader = Reader(tmp_path / "reader", stored)
    assert (reader.newest("hello"), reader.newest("world")) == ("2.0", "1.0")
    stored.call("repo", "verify")


def test_new_suites_of_two_publishers_at_once_are_both_known(stored: Stored) -> None:
    stored.publish(HELLO[0])
    other: list[Outcome] = []

    def overtake(number: int, path: str) -> None:
        if not other:
            other.append(stored.elsewhere(*stored.words("world_1.0_all.deb", suite="left")))

    with before_each_change(overtake):
        stored.publish(HELLO[1], suite="right")
    suites = [suite["name"] for suite in stored.json("repo", "status")["suites"]]
    assert suites == ["left", "right", "staging"]


def test_an_answer_that_was_lost_is_not_taken_for_another_publisher(stored: Stored) -> None:
    """boto3 then tries again, and finds that the condition holds no more."""
    stored.publish(HELLO[0])
    put = ObjectStore.put

    def twice(store: ObjectStore, path: str, content: Any, etag: str | None) -> Any:
        put(store, path, content, etag)
        return put(store, path, content, etag)

    with mock.patch.object(ObjectStore, "put", twice):
        done = stored.call("repo", "remove", "hello", "staging")
    assert _NEXT not in done.stderr
    assert stored.packages() == set()
    stored.call("repo", "verify")


def test_a_publisher_overtaken_repeatedly_gives_up_and_leaves_the_suite(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.publish(HELLO[0])
    served = {path: content for path, content in stored.objects().items() if "dists" in path}
    monkeypatch.setattr("hadeb.cli.repo_command._ATTEMPTS", 2)
    monkeypatch.setattr("hadeb.cli.repo_command._LONGEST_WAIT", 0)

    def overtake(number: int, path: str) -> None:
        if path == ".hadeb/state.json":
            stored.write(path, stored.objects()[path] + b" " * number)

    with before_each_change(overtake):
        done = stored.hadeb(*stored.words(HELLO[1]))
    refused(done, "; nothing of this change is in force")
    assert done.stdout == ""
    now = stored.objects()
    assert {path: now[path] for path in served} == served


def test_a_package_with_other_bytes_takes_nobodys_name(stored: Stored) -> None:
    stored.publish(HELLO[0])
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
        refused(stored.hadeb(*stored.words(HELLO[0])), f"{path} is already in {stored.place}")
    assert stored.objects()[path] == b"another's"
    assert stored.packages() == {"world 1.0"}


@pytest.mark.parametrize("seen", [True, False])
def test_an_object_with_the_same_bytes_is_no_conflict(stored: Stored, seen: bool) -> None:
    stored.publish("world_1.0_all.deb")
    path = "pool/main/h/hello/hello_1.0_all.deb"
    content = (stored.publisher.place / HELLO[0]).read_bytes()

    def take(number: int, written: str) -> None:
        if written == path:
            stored.write(path, content)

    if seen:
        stored.write(path, content)
    with contextlib.nullcontext() if seen else before_each_change(take):
        stored.publish(HELLO[0])
    assert stored.packages() == {"hello 1.0", "world 1.0"}


def test_a_store_that_ignores_conditions_gets_no_repository(stored: Stored) -> None:
    put = ObjectStore.put

    def careless(store: ObjectStore, path: str, content: Any, etag: str | None) -> Any:
        stored.remove(path)
        return put(store, path, content, None)

    with mock.patch.object(ObjectStore, "put", careless):
        refused(stored.hadeb(*stored.words(HELLO[0])), "in spite of If-None-Match")
    assert "dists/staging/InRelease" not in stored.objects()
