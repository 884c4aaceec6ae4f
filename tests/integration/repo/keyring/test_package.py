# SPDX-License-Identifier: Apache-2.0
"""The keyring package is reproducible, and its script changes the repository's own entries only."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from hadeb.package.deb import write
from hadeb.package.model import Package
from hadeb.repo.keyring.package import keyring_package
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.site.sources import sources
from support.repo.page_sample import KEYS, REPOSITORY, STABLE, STAGING, TIMESTAMP

PACKAGE = keyring_package(REPOSITORY, KEYS, TIMESTAMP)
OLD = PublicKeys(b"yesterday's key" * 9, KEYS.keys[:1])


def script(package: Package) -> str:
    (script,) = package.scripts
    assert script.name == "postinst"
    return script.text


def configure(root: Path, *arguments: str, package: Package = PACKAGE) -> str:
    """Run the script as dpkg --root does; its output."""
    done = subprocess.run(
        ["sh", "-c", script(package), "postinst", *arguments],
        env={"PATH": os.environ["PATH"], "DPKG_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "etc/apt/sources.list.d"
    made.mkdir(parents=True)
    return made


def renewed(
    directory: Path, text: str, name: str = "acme.sources", package: Package = PACKAGE
) -> str:
    """A source after the script ran, with the same mode and no other files beside it."""
    file = directory / name
    file.write_text(text, encoding="utf-8")
    file.chmod(0o640)
    others = set(directory.iterdir())
    configure(directory.parents[2], "configure", "1", package=package)
    assert set(directory.iterdir()) == others
    assert file.stat().st_mode & 0o7777 == 0o640
    return file.read_text("utf-8")


def test_lintian_and_shellcheck_find_nothing(tmp_path: Path) -> None:
    deb = tmp_path / PACKAGE.file_name
    deb.write_bytes(write(PACKAGE))
    levels = ("--pedantic", "--display-info", "--fail-on=none", "--color=never")
    done = subprocess.run(
        ["lintian", "--allow-root", *levels, deb], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""
    (tmp_path / "postinst").write_text(script(PACKAGE), encoding="utf-8")
    subprocess.run(["shellcheck", tmp_path / "postinst"], check=True)


# The script


@pytest.mark.parametrize("suite", [STABLE, STAGING], ids=str)
@pytest.mark.parametrize("name", ["acme.sources", "acme-staging.sources"])
def test_a_source_with_old_keys_becomes_the_one_with_today_s(
    directory: Path, suite: object, name: str
) -> None:
    chosen = STABLE if suite is STABLE else STAGING
    text = sources(REPOSITORY, chosen, OLD)
    assert renewed(directory, text, name) == sources(REPOSITORY, chosen, KEYS)


def test_a_source_with_a_former_address_also_gets_the_keys(directory: Path) -> None:
    moved = dataclasses.replace(
        REPOSITORY, url="https://new.example", former_urls=(REPOSITORY.url, "https://old.example/")
    )
    package = keyring_package(moved, KEYS, TIMESTAMP)
    for url in ("https://new.example/", REPOSITORY.url, "https://old.example"):
        here = dataclasses.replace(REPOSITORY, url=url)
        text = renewed(directory, sources(here, STABLE, OLD), package=package)
        assert text == sources(here, STABLE, KEYS)


def test_only_the_keys_of_an_edited_source_change(directory: Path) -> None:
    def text(keys: PublicKeys) -> str:
        return (
            "# ours\n\n\nTypes: deb\n"
            f"{keys.signed_by}\n"
            "# the mirror \\n %s & more\n"
            "Enabled: no\n"
            "uris :\n   https://apt.example/acme//  \n"
            "Suites: stable\n \t\n"
            "Types: deb-src\nURIs: https://apt.example/acme\n"
            "Signed-By: /usr/share/keyrings/acme-archive-keyring.pgp\n"
        )

    assert renewed(directory, text(OLD)) == text(KEYS)


@pytest.mark.parametrize(
    "text",
    [
        sources(dataclasses.replace(REPOSITORY, url="https://apt.example/acme2"), STABLE, OLD),
        sources(dataclasses.replace(REPOSITORY, url="https://a https://b"), STABLE, OLD),
        sources(dataclasses.replace(REPOSITORY, url="https://apt.example/acme x"), STABLE, OLD),
        f"Types: deb\nURIs: https://apt.example/acme\n\n{OLD.signed_by}\n",
        "URIs: https://apt.example/acme\nSigned-By: /etc/apt/keyrings/mine.pgp\n",
        "URIs: https://apt.example/acme\n# no end of the line",
        "",
    ],
)
def test_an_unrelated_source_stays(directory: Path, text: str) -> None:
    assert renewed(directory, text) == text


def test_a_source_of_a_name_that_begins_alike_is_another_s(directory: Path) -> None:
    text = sources(REPOSITORY, STABLE, OLD)
    assert renewed(directory, text, "acmes.sources") == text


def test_the_target_of_a_link_stays(directory: Path) -> None:
    target = directory.parent / "managed"
    target.write_text(sources(REPOSITORY, STABLE, OLD), encoding="utf-8")
    (directory / "acme.sources").symlink_to(target)
    assert configure(directory.parents[2], "configure", "1") == ""
    assert target.read_text("utf-8") == sources(REPOSITORY, STABLE, OLD)


def test_keys_never_become_older(directory: Path) -> None:
    newer = sources(REPOSITORY, STABLE, KEYS)
    (directory / "acme.sources").write_text(newer, encoding="utf-8")
    older = keyring_package(dataclasses.replace(REPOSITORY, keyring_version=1), OLD, TIMESTAMP)
    assert "keep their newer keys" in configure(
        directory.parents[2], "configure", "2", package=older
    )
    assert (directory / "acme.sources").read_text("utf-8") == newer


def test_a_second_run_prints_and_changes_nothing(directory: Path) -> None:
    file = directory / "acme.sources"
    file.write_text(sources(REPOSITORY, STABLE, OLD), encoding="utf-8")
    root = directory.parents[2]
    assert configure(root, "configure", "") == (
        f"acme-archive-keyring: {file} has the keys of today\n"
    )
    before = file.stat().st_ino
    assert configure(root, "configure", "2") == ""
    assert file.stat().st_ino == before
    assert configure(root, "abort-remove") == ""


def test_without_apt_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert configure(tmp_path, "configure", "") == ""


def test_an_unknown_call_is_refused() -> None:
    done = subprocess.run(
        ["sh", "-c", script(PACKAGE), "postinst", "dance"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "unknown argument 'dance'" in done.stderr
