# SPDX-License-Identifier: Apache-2.0
"""Lists that stand: what is damaged or lost in a repository, and how it is whole again."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from hadeb.repo.commands.rollback import rollback
from integration.repo.commands.test_refusals import refused
from support.repo.damage import age, cut, in_force, wipe
from support.repo.publishing import Desk, writer

KEYRING = "sample-archive-keyring"


INDEX = "main/binary-amd64/Packages.gz"


@pytest.mark.parametrize(
    ("file", "damage"),
    [("manifest.json", cut), (INDEX, cut), ("manifest.json", wipe), (INDEX, Path.unlink)],
)
def test_a_damaged_generation_is_named_and_a_rollback_mends_the_suite(
    file: str, damage: Callable[[Path], None], desk: Desk, root: Path
) -> None:
    desk.publish(root, desk.deb("world", "1.0"), suite="stable")
    damage(in_force(root) / file)
    words = "generation 2 of staging cannot be read"
    verified = desk.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert f"staging: {words}" in verified.stdout
    status = desk.hadeb("repo", "status", "--repo", root)
    assert status.code == 0
    assert words in status.stdout
    assert "hadeb rollback staging" in status.stdout
    done = desk.hadeb("publish", desk.deb("world", "1.0"), "--suite", "staging", "--repo", root)
    refused(done, rf"{words}(.|\n)*hint: hadeb rollback staging")
    # The other suite goes on, and the pages keep both.
    desk.publish(root, desk.deb("world", "2.0"), suite="stable")
    assert 'id="suite-staging"' in (root / "index.html").read_text()
    pruned = desk.hadeb("prune", "--keep", "1", "--repo", root)
    assert pruned.code == 0, pruned.stderr
    assert words in pruned.stderr
    assert "no package is removed" in pruned.stderr
    rolled = desk.hadeb("rollback", "staging", "--repo", root)
    assert rolled.code == 0, rolled.stderr
    assert words in rolled.stderr
    assert desk.listed(root) == {"hello 1.0", f"{KEYRING} 1"}
    verified = desk.hadeb("repo", "verify", "--repo", root)
    # The damaged one is still there, and nobody can go back to it.
    assert verified.stdout.splitlines() == [
        line for line in verified.stdout.splitlines() if words in line
    ]
    age(root)
    assert "- staging/2" in desk.hadeb("prune", "--repo", root).stdout
    assert desk.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_rollback_with_a_damaged_generation_before_it_goes_to_the_next_whole_one(
    desk: Desk, root: Path
) -> None:
    desk.publish(root, desk.deb("hello", "3.0"))
    cut(root / "dists/.generations/staging/2/manifest.json")
    done = desk.hadeb("rollback", "staging", "--repo", root)
    assert done.code == 0
    assert "generation 2 of staging cannot be read" in done.stderr
    assert desk.listed(root) == {"hello 1.0", f"{KEYRING} 1"}


def test_a_damaged_rollback_is_mended_by_what_it_went_back_to(desk: Desk, root: Path) -> None:
    desk.publish(root, desk.deb("hello", "3.0"))
    assert desk.hadeb("rollback", "staging", "--repo", root).code == 0
    cut(in_force(root) / "manifest.json")
    assert desk.hadeb("rollback", "staging", "--repo", root).code == 0
    assert desk.listed(root) == {"hello 1.0", "hello 2.0", f"{KEYRING} 1"}


def test_a_generation_after_a_damaged_one_is_no_older(desk: Desk, root: Path) -> None:
    before = date_in(root)
    cut(in_force(root) / "manifest.json")
    late = writer(desk, root)
    lagging = dataclasses.replace(late, now=late.now - datetime.timedelta(minutes=10))
    rollback(lagging, "staging", None, dry_run=False)
    assert date_in(root) > before


def date_in(root: Path) -> datetime.datetime:
    (found,) = re.findall("(?m)^Date: (.*)$", (in_force(root) / "Release").read_text())
    return parsedate_to_datetime(found)


@pytest.mark.parametrize("prepared", ["first", "pruned"])
def test_the_only_generation_is_found_again_where_its_link_is_lost(
    prepared: str, desk: Desk, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    desk.publish(root, desk.deb("hello", "1.0"))
    if prepared == "pruned":
        desk.publish(root, desk.deb("hello", "2.0"))
        age(root)
        assert desk.hadeb("prune", "--keep", "1", "--repo", root).code == 0
    (root / "dists/staging").unlink()
    verified = desk.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert "staging: no link points to generation" in verified.stdout
    desk.publish(root, desk.deb("world", "1.0"))
    assert {"hello 1.0", "world 1.0"} <= desk.listed(root)
    assert desk.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_suite_whose_link_is_lost_does_not_stop_the_others(desk: Desk, root: Path) -> None:
    desk.publish(root, desk.deb("world", "1.0"), suite="stable")
    before = (root / "sample-staging.sources").read_bytes()
    (root / "dists/staging").unlink()
    words = "dists/staging is no longer a link to a generation of staging"
    desk.publish(root, desk.deb("world", "2.0"), suite="stable")
    assert 'id="suite-staging"' in (root / "index.html").read_text()
    assert (root / "sample-staging.sources").read_bytes() == before
    status = desk.hadeb("repo", "status", "--repo", root)
    assert status.code == 0
    assert words in status.stdout
    verified = desk.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert words in verified.stdout
    done = desk.hadeb("repo", "refresh", "--repo", root)
    refused(done, f"staging: .*{words}(.|\n)*hint: restore it: ln -sfn")
    assert "stable generation 3" in done.stdout
