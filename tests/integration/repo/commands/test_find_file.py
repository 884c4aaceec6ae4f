# SPDX-License-Identifier: Apache-2.0
"""A version of a package in a repository, for `hadeb lab run --from VERSION --from-repo DIR`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hadeb.errors import HadebError, UsageError
from hadeb.repo.commands.find_file import find_file
from support.repo.publisher import Publisher


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_each_published_version_is_found(version: str, root: Path) -> None:
    path = find_file(root, "hello", version, "amd64")
    assert path.name == f"hello_{version}_all.deb"
    assert path.is_relative_to(root / "pool")


def test_a_version_that_was_removed_is_found_while_its_generation_is_kept(
    root: Path, publisher: Publisher
) -> None:
    done = publisher.hadeb("repo", "remove", "--repo", root, "hello=1.0", "staging")
    assert done.code == 0, done.stderr
    assert find_file(root, "hello", "1.0", "amd64").is_file()


@pytest.mark.parametrize(
    ("name", "version", "sentence", "hint"),
    [
        ("hello", "3.0", "has no hello 3.0 for amd64", "it has 1.0, 2.0"),
        ("goodbye", "1.0", "has no goodbye 1.0 for amd64", "it has no version of it"),
    ],
)
def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    name: str, version: str, sentence: str, hint: str, root: Path
) -> None:
    with pytest.raises(UsageError) as error:
        find_file(root, name, version, "amd64")
    assert sentence in error.value.message
    assert error.value.hint == hint


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_damaged_file_is_not_taken(damage: object, root: Path) -> None:
    path = find_file(root, "hello", "1.0", "amd64")
    assert callable(damage)
    damage(path)
    with pytest.raises(HadebError, match="is missing or damaged"):
        find_file(root, "hello", "1.0", "amd64")


def test_a_directory_without_a_repository_is_refused(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / ".hadeb")
    for directory in (root, tmp_path):
        with pytest.raises(UsageError, match="there is no repository"):
            find_file(directory, "hello", "1.0", "amd64")
