# SPDX-License-Identifier: Apache-2.0
"""What verify finds changed in an object store."""

from __future__ import annotations

from support.repo.object_store import (
    HELLO,
    Stored,
)


def test_verify_names_what_changed_in_the_store(stored: Stored) -> None:
    stored.publish(HELLO[0])
    stored.publish(HELLO[1])
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
    stored.publish(HELLO[0])
    old = stored.objects()["dists/staging/InRelease"]
    stored.publish(HELLO[1])
    stored.write("dists/staging/InRelease", old)
    done = stored.hadeb("repo", "verify")
    assert done.code == 4
    assert "dists/staging/InRelease is not that of generation 2; the next command" in done.stdout
    stored.publish(HELLO[1])
    stored.call("repo", "verify")
