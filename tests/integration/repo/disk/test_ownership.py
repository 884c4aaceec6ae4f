# SPDX-License-Identifier: Apache-2.0
"""Which files in a repository's directory belong to hadeb, and which do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.repo import inspection
from support.repo.damage import age
from support.repo.publisher import Publisher
from support.repo.refusal import refused, unchanged

# There is no version of it that could do.
UNFIT = "Depends: nonesuch (>= 9), nonesuch (<< 2)\n"


def test_prune_leaves_foreign_files_in_the_pool(publisher: Publisher, root: Path) -> None:
    own = root / "pool/main/o/other/other_1.0_all.deb"
    own.parent.mkdir(parents=True)
    shutil.copy(publisher.deb("other", "1.0"), own)
    assert publisher.hadeb("repo", "remove", "hello=1.0", "staging", "--repo", root).code == 0
    age(root)
    done = publisher.hadeb("prune", "--keep", "1", "--repo", root)
    assert "- pool/main/h/hello/hello_1.0_all.deb" in done.stdout
    assert own.exists()
    assert (root / "pool/main/h/hello/hello_2.0_all.deb").exists()


def test_prune_removes_pool_files_of_a_refused_publish(publisher: Publisher, root: Path) -> None:
    broken = publisher.deb("broken", "1.0", fields=UNFIT)
    done = publisher.hadeb("publish", broken, "--suite", "staging", "--repo", root)
    refused(done, "no version of nonesuch satisfies")
    left = root / "pool/main/b/broken/broken_1.0_all.deb"
    assert left.exists()
    assert f"- {left.relative_to(root)}" in publisher.hadeb("prune", "--repo", root).stdout
    assert not left.exists()
    assert inspection.packages(root, "staging") == {"hello_1.0_all.deb", "hello_2.0_all.deb"}


def test_a_foreign_file_in_the_pool_is_not_replaced(publisher: Publisher, root: Path) -> None:
    own = root / "pool/main/w/world/world_1.0_all.deb"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"not hadeb's")
    done = publisher.hadeb(
        "publish", publisher.deb("world", "1.0"), "--suite", "staging", "--repo", root
    )
    refused(done, "world_1.0_all.deb exists, and hadeb did not put it there: move it away")
    assert own.read_bytes() == b"not hadeb's"


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize("place", ["pool/main/h/hello/hello_1.0_all.deb", "dists/stable/Release"])
def test_no_repository_is_created_in_a_directory_that_another_one_lives_in(
    place: str, more: list[str], publisher: Publisher, tmp_path: Path
) -> None:
    own = tmp_path / "repository" / place
    own.parent.mkdir(parents=True)
    own.write_bytes(b"somebody else's")
    deb, root = publisher.deb("hello", "1.0"), tmp_path / "repository"
    wanted = ("publish", deb, "--suite", "staging", "--key", publisher.key, "--repo", root)
    done = publisher.hadeb(*wanted, *more)
    refused(done, "holds files of a repository that is not hadeb's\nhint: name an empty", 2)
    assert not (tmp_path / "repository/.hadeb").exists()


def test_foreign_files_among_hadebs_own_stop_nothing_and_stay(
    publisher: Publisher, root: Path
) -> None:
    strays = [
        root / place
        for place in (
            "dists/.generations/notes.txt",
            "dists/.generations/staging/notes.txt",
            "dists/.generations/staging/9",
            ".hadeb/incoming/notes.txt",
            ".hadeb/history/staging/notes.txt",
        )
    ]
    for stray in strays:
        stray.write_text("somebody's\n")
    (root / "dists/.generations/staging/copy").mkdir()
    publisher.publish(root, publisher.deb("world", "1.0"))
    for command in (("prune",), ("repo", "refresh"), ("rollback", "staging"), ("repo", "status")):
        done = publisher.hadeb(*command, "--repo", root)
        assert done.code == 0, done.stderr
    assert all(stray.exists() for stray in strays)
    assert (root / "dists/.generations/staging/copy").is_dir()


def test_a_file_in_the_place_of_the_next_generation_is_named(
    publisher: Publisher, root: Path
) -> None:
    (root / "dists/.generations/staging/3").write_text("somebody's\n")
    with unchanged(root):
        done = publisher.hadeb("repo", "refresh", "--repo", root)
    refused(done, "staging/3 is in the way of the next generation\nhint: move it away")
