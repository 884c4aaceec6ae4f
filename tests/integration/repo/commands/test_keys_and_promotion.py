# SPDX-License-Identifier: Apache-2.0
"""The keyring package and promoted packages keep their bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hadeb.repo.commands.publish import Addition, publish
from hadeb.repo.keyring import package
from hadeb.repo.session.settings import Options
from support.repo.publisher import Publisher, writer
from support.repo.refusal import refused, unchanged

KEYRING = "sample-archive-keyring"


def changed_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_TEXT", f"{package._TEXT}\nsaid otherwise\n")


def test_the_published_keyring_package_is_reused_even_if_hadeb_would_build_another(
    publisher: Publisher, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deb,) = root.glob(f"pool/*/*/{KEYRING}/*.deb")
    before = deb.read_bytes()
    changed_template(monkeypatch)
    publish(
        writer(publisher, root),
        [publisher.deb("world", "1.0")],
        Addition("stable"),
        Options(),
        dry_run=False,
    )
    assert publisher.listed(root, "stable") == {"world 1.0", f"{KEYRING} 1"}
    assert deb.read_bytes() == before
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_package_of_keys_that_no_list_has_whole_comes_back_as_another_version(
    publisher: Publisher, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deb,) = root.glob(f"pool/*/*/{KEYRING}/*.deb")
    deb.unlink()
    changed_template(monkeypatch)
    publish(
        writer(publisher, root),
        [publisher.deb("world", "1.0")],
        Addition("stable"),
        Options(),
        dry_run=False,
    )
    assert publisher.listed(root, "stable") == {"world 1.0", f"{KEYRING} 2"}
    assert not deb.exists()


def test_a_package_of_keys_that_is_gone_comes_back_as_the_same_bytes(
    publisher: Publisher, root: Path
) -> None:
    (deb,) = root.glob(f"pool/*/*/{KEYRING}/*.deb")
    before = deb.read_bytes()
    deb.unlink()
    publisher.publish(root, publisher.deb("world", "1.0"), suite="stable")
    assert publisher.listed(root, "stable") == {"world 1.0", f"{KEYRING} 1"}
    assert deb.read_bytes() == before


def test_the_package_of_keys_is_not_to_be_removed(publisher: Publisher, root: Path) -> None:
    with unchanged(root):
        done = publisher.hadeb("repo", "remove", KEYRING, "staging", "--repo", root)
    refused(done, f"staging needs {KEYRING}, which brings new keys to machines", 2)


@pytest.mark.parametrize("name", ["../evil", ".hidden", "a/b", "UPPER", "with blank"])
def test_a_package_is_not_promoted_to_a_name_that_publish_would_refuse(
    name: str, publisher: Publisher, root: Path
) -> None:
    with unchanged(root):
        done = publisher.hadeb("promote", "hello", "staging", name, "--repo", root)
    refused(done, "cannot be a suite's name", 2)
    assert not (root / "evil").exists()


def test_a_new_suite_that_is_promoted_to_is_like_the_one_before(
    publisher: Publisher, root: Path
) -> None:
    wider = ("--architecture", "arm64", "--component", "extra", "--valid-days", "9")
    world = publisher.deb("world", "1.0")
    assert publisher.hadeb("publish", world, "--repo", root, "--suite", "staging", *wider).code == 0
    assert publisher.hadeb("promote", "hello", "staging", "stable", "--repo", root).code == 0
    suites = json.loads((root / ".hadeb/repository.json").read_text())["suites"]
    for suite in suites:
        del suite["name"], suite["codename"]
    assert suites[0] == suites[1]


def test_other_bytes_of_one_version_are_not_promoted(publisher: Publisher, root: Path) -> None:
    other = publisher.deb("hello", "2.0", content="other", directory="promoted")
    done = publisher.hadeb(
        *("publish", other, "--repo", root, "--suite", "stable", "--component", "extra")
    )
    assert done.code == 0, done.stderr
    with unchanged(root):
        done = publisher.hadeb("promote", "hello=2.0", "staging", "stable", "--repo", root)
    refused(done, "hello 2.0 all is already in the suite, as pool/extra/h/hello/hello_2.0_all.deb")
