# SPDX-License-Identifier: Apache-2.0
"""Every command on a repository in an object store, as in a directory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from unittest import mock

from hadeb.repo.s3 import checkout
from hadeb.repo.signing.keychain import Keychain, make_key, public_keys, secret_keys
from support.repo.object_store import (
    HELLO,
    Reader,
    Stored,
    refused,
)
from support.repo.publisher import Publisher


def test_every_command_works_the_same_in_a_store_and_a_directory(
    stored: Stored, tmp_path: Path
) -> None:
    printed = stored.publish(HELLO[0]).stdout
    assert printed.startswith("+ hello 1.0 all\n")
    assert printed.endswith("staging generation 1\n")
    reader = Reader(tmp_path / "staging", stored)
    assert reader.newest("hello") == "1.0"
    stored.publish(HELLO[1], "world_1.0_all.deb")
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
    stored.publish(HELLO[0])
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


def test_a_dry_run_writes_nothing_to_the_store(stored: Stored) -> None:
    stored.publish(HELLO[0])
    stored.publish(HELLO[1])
    before = stored.objects()
    for words in (
        stored.words(HELLO[2]),
        ["promote", "hello", "staging", "stable"],
        ["rollback", "staging"],
        ["prune", "--keep", "1"],
        ["repo", "remove", "hello", "staging"],
    ):
        stored.call(*words, "--dry-run")
    assert stored.objects() == before


def test_nothing_of_the_copy_is_left_on_this_machine(stored: Stored) -> None:
    stored.publish(HELLO[0])
    stored.call("repo", "status")
    stored.hadeb("rollback", "staging")
    assert list((stored.publisher.place / "tmp").glob("hadeb-bucket-*")) == []


def test_promote_refuses_a_package_missing_from_the_store(stored: Stored) -> None:
    stored.publish(HELLO[0])
    stored.remove("pool/main/h/hello/hello_1.0_all.deb")
    done = stored.hadeb("promote", "hello", "staging", "stable")
    refused(done, "pool/main/h/hello/hello_1.0_all.deb is gone from the pool")


def test_a_state_of_another_release_is_not_touched(stored: Stored) -> None:
    stored.write(".hadeb/state.json", b'{"format": 2}')
    refused(stored.hadeb("repo", "status"), "has the format of another release of hadeb")
    stored.write(".hadeb/state.json", b"{")
    refused(stored.hadeb("repo", "status"), "/.hadeb/state.json is damaged")


def test_a_generation_that_is_gone_or_damaged_is_named(stored: Stored) -> None:
    stored.publish(HELLO[0])
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
