# SPDX-License-Identifier: Apache-2.0
"""What verify compares, and what status reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeb.repo.signing.keychain import Keychain, make_key, public_keys, secret_keys
from support.repo.damage import cut, in_force
from support.repo.publisher import Publisher
from support.repo.refusal import refused

KEYRING = "sample-archive-keyring"


@pytest.mark.parametrize(
    "name",
    [
        *("index.html", "sample.sources", "sample-staging.sources", "sample.pref", "install.sh"),
        f"{KEYRING}.asc",
    ],
)
@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_verify_reports_a_changed_page(
    damage: Callable[[Path], None], name: str, publisher: Publisher, root: Path
) -> None:
    damage(root / name)
    done = publisher.hadeb("repo", "verify", "--repo", root)
    assert done.code == 4
    assert done.stdout.startswith(f"{name} is ")
    assert "hadeb repo refresh" in done.stdout
    assert publisher.hadeb("repo", "refresh", "--repo", root).code == 0
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_keyring_that_is_missing_or_unreadable_is_a_finding(
    publisher: Publisher, root: Path
) -> None:
    file = root / f"{KEYRING}.pgp"
    for damage, words in (
        (Path.unlink, "it is missing"),
        (Path.touch, "keys that gpg can read"),
    ):
        damage(file)
        (root / "pool/main/h/hello/hello_1.0_all.deb").unlink(missing_ok=True)
        done = publisher.hadeb("repo", "verify", "--repo", root)
        assert done.code == 4, done.stderr
        assert words in done.stdout
        assert "hello_1.0_all.deb is gone from the pool" in done.stdout


def test_verify_names_the_keys_it_trusts_and_compares_the_keyring(
    publisher: Publisher, root: Path
) -> None:
    done = publisher.hadeb("repo", "verify", "--repo", root)
    assert done.code == 0
    assert f"trusted the keys {publisher.key}, which the repository records" in done.stderr
    grouped = " ".join(publisher.key[at : at + 4] for at in range(0, 40, 4)).lower()
    done = publisher.hadeb("repo", "verify", "--fingerprint", grouped, "--repo", root)
    assert done.code == 0
    assert f"trusted the keys {publisher.key}, which you named" in done.stderr
    done = publisher.hadeb("repo", "verify", "--fingerprint", "A" * 40, "--repo", root)
    assert done.code == 4
    assert f"its key {publisher.key} is not trusted, it lacks the key {'A' * 40}" in done.stdout
    done = publisher.hadeb("repo", "verify", "--fingerprint", "A" * 16, "--repo", root)
    refused(done, "is not a fingerprint of 40 hexadecimal digits", 2)


def test_a_verifier_that_is_missing_ends_verify_with_5(
    publisher: Publisher, root: Path, tmp_path: Path
) -> None:
    for missing in ("gpgv", "sqv"):
        programs = tmp_path / f"without-{missing}"
        programs.mkdir()
        for directory in ("/usr/bin", "/bin"):
            for program in Path(directory).iterdir():
                if program.name != missing and not (programs / program.name).is_symlink():
                    (programs / program.name).symlink_to(program)
        path = {"PATH": str(programs)}
        done = publisher.hadeb("repo", "verify", "--repo", root, environment=path)
        assert done.code == 5, done
        assert missing in done.stderr


def test_verify_does_not_call_anything_new(publisher: Publisher, root: Path) -> None:
    for name in ("InRelease", "Release.gpg"):
        path = in_force(root) / name
        path.write_text(path.read_text().replace("A", "B"))
        done = publisher.hadeb("repo", "verify", "--repo", root)
        assert done.code == 4
        assert "refuses the signature of " in done.stdout
        assert "just made" not in done.stdout
        assert "new" not in done.stdout


def test_a_refresh_goes_on_after_a_suite_that_cannot_be_signed(
    publisher: Publisher, root: Path
) -> None:
    for suite in ("rare", "stable"):
        publisher.publish(root, publisher.deb("world", "1.0"), suite=suite)
    cut(in_force(root, "rare") / "manifest.json")
    done = publisher.hadeb("repo", "refresh", "--repo", root)
    refused(done, "rare: generation 1 of rare cannot be read")
    assert "hint: hadeb rollback rare" in done.stderr
    assert done.stdout.splitlines() == ["stable generation 2", "staging generation 3"]


def test_the_status_tells_how_long_signatures_and_keys_are_valid(
    publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "3.0"))
    done = publisher.hadeb(
        *("publish", publisher.deb("hello", "4.0"), "--suite", "staging", "--valid-days", "9"),
        *("--repo", root),
    )
    assert done.code == 0
    text = publisher.hadeb("repo", "status", "--repo", root).stdout
    status = json.loads(publisher.hadeb("repo", "status", "--json", "--repo", root).stdout)
    ends = status["key_ends"][publisher.key]
    assert ends[:2] == "20"
    assert f"signed by {publisher.key}, until {ends}\n" in text
    (suite,) = status["suites"]
    assert suite["valid_days"] == 9
    assert f"valid for 9 days, until {suite['valid_until'][:16]} UTC" in text
    (root / f"{KEYRING}.pgp").unlink()
    text = publisher.hadeb("repo", "status", "--repo", root).stdout
    assert f"signed by {publisher.key}, expiry unknown\n" in text


def test_a_key_that_was_taken_out_of_the_keyring_that_clients_get_is_missed(
    publisher: Publisher, root: Path
) -> None:
    keychain = Keychain(publisher.home)
    second = make_key(keychain, "the next signing key")
    added = publisher.hadeb("repo", "key", "add", second, "--repo", root)
    assert added.code == 0, added
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0
    only = public_keys(keychain, secret_keys(keychain, [publisher.key])).binary
    (root / f"{KEYRING}.pgp").write_bytes(only)
    done = publisher.hadeb("repo", "verify", "--repo", root)
    assert done.code == 4
    assert f"it lacks the key {second}" in done.stdout
