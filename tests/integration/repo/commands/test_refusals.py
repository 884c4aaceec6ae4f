# SPDX-License-Identifier: Apache-2.0
"""hadeb refuses bad input with a clear error and leaves the published suite unchanged."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.command import Outcome
from support.repo import inspection
from support.repo.preload import calls, interposed
from support.repo.publisher import Publisher
from support.repo.refusal import refused, unchanged


def publish(
    publisher: Publisher, root: Path, *arguments: str | Path, **environment: str
) -> Outcome:
    return publisher.hadeb(
        *("publish", *arguments, "--repo", root, "--suite", "staging"), environment=environment
    )


def _faked(publisher: Publisher, days: int) -> dict[str, str]:
    """An environment with another key that expires in the given number of days."""
    home = publisher.place / f"key-of-{days}-days"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback")
    made = ("--passphrase", "", "--quick-generate-key", "short", "ed25519", "sign")
    # An end in the past wants a beginning before it.
    created = ("--faked-system-time", "20240101T000000") if days < 0 else ()
    ends = "20240201T000000" if days < 0 else f"{days}d"
    subprocess.run([*gpg, *created, *made, ends], check=True, capture_output=True)
    return {"GNUPGHOME": str(home)}


@contextmanager
def key_that_ends(publisher: Publisher, days: int) -> Iterator[dict[str, str]]:
    environment = _faked(publisher, days)
    try:
        yield environment
    finally:
        argv = ["gpgconf", "--homedir", environment["GNUPGHOME"], "--kill", "gpg-agent"]
        subprocess.run(argv, check=True)


def _fingerprint(environment: dict[str, str]) -> str:
    listed = subprocess.run(
        ["gpg", "--homedir", environment["GNUPGHOME"], "--with-colons", "--list-secret-keys"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    match = re.search("^fpr:+([0-9A-F]{40}):", listed, re.MULTILINE)
    assert match
    return match[1]


def test_an_expired_key_signs_nothing(publisher: Publisher, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    with key_that_ends(publisher, -1) as environment:
        key = _fingerprint(environment)
        done = publish(publisher, root, publisher.deb("hello", "1.0"), "--key", key, **environment)
    refused(done, f"the signing key {key} expired on 2024-02-01")
    assert "gpg --quick-set-expire" in done.stderr
    assert inspection.in_release(root, "staging") is None


def test_a_key_that_expires_between_two_publishes_leaves_the_suite_as_it_was(
    publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    with key_that_ends(publisher, 1) as environment:
        key = _fingerprint(environment)
        done = publish(publisher, root, publisher.deb("hello", "1.0"), "--key", key, **environment)
        assert done.code == 0
        gpg = ("gpg", "--homedir", environment["GNUPGHOME"], "--batch", "--quiet")
        subprocess.run([*gpg, "--quick-set-expire", key, "seconds=1"], check=True)
        subprocess.run(["sleep", "2"], check=True)
        before = inspection.in_release(root, "staging")
        done = publish(publisher, root, publisher.deb("hello", "2.0"), **environment)
        refused(done, f"the signing key {key} expired on ")
        assert inspection.in_release(root, "staging") == before
        assert inspection.packages(root, "staging") == {"hello_1.0_all.deb"}


def test_a_key_that_ends_in_less_than_90_days_is_warned_of(
    publisher: Publisher, tmp_path: Path
) -> None:
    with key_that_ends(publisher, 80) as environment:
        arguments = (publisher.deb("hello", "1.0"), "--key", _fingerprint(environment))
        done = publish(publisher, tmp_path / "repository", *arguments, **environment)
    assert done.code == 0
    assert re.search("the signing key [0-9A-F]{40} expires in (79|80) days, on 20", done.stderr)
    assert "gpg --quick-set-expire" in done.stderr


def test_a_key_that_lives_long_is_not_warned_of(publisher: Publisher, tmp_path: Path) -> None:
    done = publisher.publish(tmp_path / "repository", publisher.deb("hello", "1.0"))
    assert "expires in" not in done.stderr


def test_a_key_that_gpg_does_not_have_is_named(
    publisher: Publisher, root: Path, tmp_path: Path
) -> None:
    with unchanged(root):
        done = publish(publisher, root, publisher.deb("world", "1.0"), "--key", "0" * 40)
    refused(done, f"gpg has no secret key {'0' * 40}")
    done = publish(publisher, tmp_path / "other", publisher.deb("world", "1.0"), "--key", "0" * 40)
    refused(done, f"gpg has no secret key {'0' * 40}")
    assert not (tmp_path / "other").exists()


def test_the_key_of_another_repository_is_refused(publisher: Publisher, root: Path) -> None:
    with key_that_ends(publisher, 1000) as environment, unchanged(root):
        key = _fingerprint(environment)
        done = publish(publisher, root, publisher.deb("world", "1.0"), "--key", key, **environment)
    refused(done, f"{key} does not sign this repository; {publisher.key} does", 2)


def test_a_publisher_without_the_repository_s_key_is_refused(
    publisher: Publisher, root: Path
) -> None:
    with key_that_ends(publisher, 2000) as environment, unchanged(root):
        done = publish(publisher, root, publisher.deb("world", "1.0"), **environment)
        refused(done, f"gpg has no secret key {publisher.key}")
        rolled = publisher.hadeb("rollback", "staging", "--repo", root, environment=environment)
        refused(rolled, f"gpg has no secret key {publisher.key}")


def test_a_damaged_suite_does_not_hold_back_the_others(publisher: Publisher, root: Path) -> None:
    publisher.publish(root, publisher.deb("hello", "1.0"), suite="other")
    manifest = root / "dists/other/manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace("hello", "bye"), "utf-8")
    publish(publisher, root, publisher.deb("world", "1.0"))
    assert '"package": "world"' in (root / "dists/staging/manifest.json").read_text("utf-8")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_a_damaged_package_is_refused_with_all_that_came_with_it(
    damage: str, publisher: Publisher, root: Path
) -> None:
    whole = publisher.deb("other", "1.0")
    deb = publisher.deb("world", "1.0", size=200_000, directory="damaged")
    content = bytearray(deb.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    deb.write_bytes(
        {
            "truncated": bytes(content[: len(content) * 2 // 3]),
            "flipped": bytes(content),
            "empty": b"",
            "text": b"no package\n",
        }[damage]
    )
    with unchanged(root):
        done = publish(publisher, root, deb, whole)
    refused(done, rf"1 file is refused, and the repository is as it was:\n  {deb}: is damaged: \S+")


def test_files_that_are_no_packages_are_all_named(publisher: Publisher, root: Path) -> None:
    (publisher.place / "notes.txt").write_text("no package\n")
    with unchanged(root):
        done = publish(publisher, root, "notes.txt", "nonesuch.deb", publisher.deb("other", "1.0"))
    refused(done, "2 files are refused, and the repository is as it was:")
    assert "notes.txt: is not a .deb, .dsc or .changes" in done.stderr
    assert "nonesuch.deb: does not exist" in done.stderr


def test_a_package_for_no_architecture_of_the_suite_is_refused(
    publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        done = publish(publisher, root, publisher.deb("world", "1.0", architecture="riscv64"))
    refused(done, "is for riscv64, but suite staging has amd64")


def test_other_bytes_under_a_published_name_and_version_are_refused(
    publisher: Publisher, root: Path
) -> None:
    other = publisher.deb("hello", "2.0", content="other", directory="other")
    with unchanged(root):
        done = publish(publisher, root, other)
    refused(done, r"hello_2.0_all.deb is published with other bytes: .* needs a new version")


def test_other_bytes_are_refused_where_another_source_takes_them_elsewhere_in_the_pool(
    publisher: Publisher, root: Path
) -> None:
    other = publisher.deb("hello", "2.0", fields="Source: another\n", directory="other")
    with unchanged(root):
        done = publish(publisher, root, other)
    refused(done, "hello 2.0 all is already in the suite, as pool/main/h/hello/hello_2.0_all.deb")


def test_the_same_package_twice_changes_nothing_and_is_no_error(
    publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        for version in ("1.0", "2.0"):
            assert publish(publisher, root, publisher.deb("hello", version)).code == 0


@pytest.mark.parametrize("option", ["origin", "label", "name", "codename"])
def test_the_creation_settings_of_a_repository_do_not_change(
    option: str, publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        done = publish(publisher, root, publisher.deb("world", "1.0"), f"--{option}", "elsewise")
    refused(done, f"--{option} elsewise: this repository was created with {option} s", 2)


def test_a_downgrade_is_refused_unless_it_is_asked_for(publisher: Publisher, root: Path) -> None:
    older = publisher.deb("hello", "0.9")
    with unchanged(root):
        done = publish(publisher, root, older)
    refused(done, "staging would go back to an older version:\n  hello 0.9 all: .* has 2.0", 2)
    assert "--downgrade removes the newer versions" in done.stderr
    assert publish(publisher, root, older, "--downgrade").code == 0
    assert inspection.packages(root, "staging") == {"hello_0.9_all.deb"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("rollback", "nonesuch"),
        ("promote", "hello", "nonesuch", "staging"),
        ("repo", "refresh", "nonesuch"),
        ("repo", "history", "nonesuch"),
        ("repo", "list", "nonesuch"),
        ("repo", "remove", "hello", "nonesuch"),
    ],
    ids=" ".join,
)
def test_a_suite_that_is_not_there_is_named_with_those_that_are(
    arguments: tuple[str, ...], publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        done = publisher.hadeb(*arguments, "--repo", root)
    refused(done, "there is no suite nonesuch in this repository\nhint: its suites: staging", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rollback", "staging"),
        ("promote", "hello", "staging", "stable"),
        ("prune",),
        ("prune", "--dry-run"),
        ("repo", "refresh"),
        ("repo", "status"),
        ("repo", "verify"),
        ("repo", "remove", "hello", "staging"),
    ],
    ids=" ".join,
)
def test_a_directory_without_a_repository_is_refused_and_stays_as_it_was(
    arguments: tuple[str, ...], publisher: Publisher, tmp_path: Path
) -> None:
    done = publisher.hadeb(*arguments, "--repo", tmp_path)
    refused(done, f"there is no repository in {tmp_path}\nhint: hadeb publish", 2)
    assert list(tmp_path.iterdir()) == []


def test_a_package_the_suite_lacks_cannot_be_promoted_or_restored(
    publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        done = publisher.hadeb("promote", "nonesuch", "staging", "stable", "--repo", root)
        refused(done, "staging has no package nonesuch", 2)
        done = publisher.hadeb("promote", "hello=3.0", "staging", "stable", "--repo", root)
        refused(done, "staging has no hello 3.0\nhint: it has 1.0, 2.0", 2)
        done = publisher.hadeb("rollback", "staging", "7", "--repo", root)
        refused(done, "staging has no older generation 7\nhint: you can go back to: 1", 2)


def test_a_pool_file_changed_from_outside_is_neither_promoted_nor_restored(
    publisher: Publisher, root: Path
) -> None:
    path = root / "pool/main/h/hello/hello_2.0_all.deb"
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:-1] + b"x")
    with unchanged(root):
        done = publisher.hadeb("promote", "hello", "staging", "stable", "--repo", root)
        refused(done, "hello_2.0_all.deb has changed in the pool since it was published")
        done = publish(publisher, root, publisher.deb("hello", "2.0", directory="again"))
        assert done.code == 1
        verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert "staging: pool/main/h/hello/hello_2.0_all.deb has changed" in verified.stdout
    path.unlink()
    assert publisher.hadeb("rollback", "staging", "1", "--repo", root).code == 0
    with unchanged(root):
        done = publisher.hadeb("rollback", "staging", "2", "--repo", root)
        refused(done, "hello_2.0_all.deb is gone from the pool")


def test_a_disk_that_is_full_at_any_call_leaves_the_suite_as_it_was(
    publisher: Publisher, root: Path, interposer: Path, tmp_path: Path
) -> None:
    log, copy = tmp_path / "calls", tmp_path / "copy"
    deb = publisher.deb("world", "1.0")

    def on_a_copy(**how: int | Path) -> Outcome:
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", root, copy], check=True)
        return publish(publisher, copy, deb, **interposed(interposer, copy, **how))

    assert on_a_copy(log=log).code == 0
    points = calls(log)
    (switch,) = [n for n, call in enumerate(points, 1) if re.match("rename .*/dists/staging", call)]
    before = inspection.published(root)
    for number in {1, 2, 4, 6, 9, 12, 20, 30, switch - 5, switch - 2, switch - 1, switch}:
        done = on_a_copy(full=number)
        refused(done, os.strerror(errno.ENOSPC))
        # The pool may have a file that no list names; it is no part of a suite.
        after = inspection.published(copy)
        assert {path: after.get(path) for path in before} == before, points[number - 1]
        assert inspection.packages(copy, "staging") == inspection.packages(root, "staging")
    assert publish(publisher, copy, deb).code == 0
    assert inspection.leftovers(copy) == []
