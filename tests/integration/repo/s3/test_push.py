# SPDX-License-Identifier: Apache-2.0
"""What a push writes to an object store, in which order, and what clients see between writes."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.client
import pytest

from hadeb.errors import HadebError
from hadeb.repo.s3 import public_files
from hadeb.repo.s3.client import ObjectInfo, ObjectStore, PendingObject
from support.repo.object_store import (
    BUCKET,
    HELLO,
    Reader,
    Stored,
    before_each_change,
    refused,
    step_of,
)


def test_a_client_gets_the_old_suite_or_the_new_one_between_any_two_writes(
    stored: Stored, tmp_path: Path
) -> None:
    stored.publish(HELLO[0])
    stays, seen = Reader(tmp_path / "stays", stored), []
    stays.newest("hello")

    def look(number: int, path: str) -> None:
        comes = Reader(tmp_path / f"comes-{number}", stored)
        versions = {stays.newest("hello"), comes.newest("hello")}
        assert len(versions) == 1, f"before {path}"
        seen.append((path, *versions))

    with before_each_change(look):
        stored.publish(HELLO[1])
    switch = [path for path, _ in seen].index("dists/staging/InRelease")
    assert {version for _, version in seen[: switch + 1]} == {"1.0"}
    assert {version for _, version in seen[switch + 1 :]} == {"2.0"}
    assert stays.newest("hello") == "2.0"


def test_writes_come_in_the_order_in_which_clients_can_follow(stored: Stored) -> None:
    stored.publish(HELLO[0])
    paths: list[str] = []
    with before_each_change(lambda _, path: paths.append(path)):
        stored.publish(HELLO[1])

    steps = [step_of(path) for path in paths]
    assert steps == sorted(steps)
    assert {*steps} == {*range(7)}


def test_a_store_failure_before_the_switch_names_the_command_that_finishes(
    stored: Stored, tmp_path: Path
) -> None:
    stored.publish(HELLO[0])

    def fail(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            raise HadebError("the store is out of order")

    with before_each_change(fail):
        done = stored.hadeb(*stored.words(HELLO[1]))
    refused(done, "the store is out of order; the change is recorded, but clients do not")
    assert "run the same command again" in done.stderr
    reader = Reader(tmp_path / "reader", stored)
    assert reader.newest("hello") == "1.0"
    stored.publish(HELLO[1])
    assert reader.newest("hello") == "2.0"


def test_a_suite_that_another_program_keeps_writing_is_reported(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_files, "ATTEMPTS", 2)
    stored.publish(HELLO[0])

    def meddle(number: int, path: str) -> None:
        if path.endswith("/InRelease"):
            stored.write(path, f"{number}".encode())

    with before_each_change(meddle):
        done = stored.hadeb(*stored.words(HELLO[1]))
    refused(done, "another program than hadeb writes the files of the suites")


def test_keys_that_are_no_paths_are_left_alone(stored: Stored) -> None:
    stored.publish(HELLO[0])
    for key in ("dists/", "dists/staging/../../outside", "./page"):
        stored.write(key, b"another program's")
    stored.call("repo", "verify")
    stored.publish(HELLO[1])
    assert stored.objects()["dists/staging/../../outside"] == b"another program's"


def test_objects_have_a_content_type_and_changing_ones_are_revalidated(
    stored: Stored,
) -> None:
    stored.publish(HELLO[0])
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
        stored.publish(HELLO[0])
    assert len(second) <= 15, second
    assert not [made for made in second if made.startswith("GetObject") and "/pool/" in made]
    with _requests() as third:
        stored.call("promote", "hello", "staging", "stable")
    assert not [made for made in third if "/pool/" in made]


def test_a_switch_is_dated_at_least_a_second_after_the_last(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client asks for changes since that second, and would get none."""
    stored.publish(HELLO[0])
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
