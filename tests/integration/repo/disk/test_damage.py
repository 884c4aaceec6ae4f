# SPDX-License-Identifier: Apache-2.0
"""How hadeb reports and repairs damaged or lost generations."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from hadeb.repo.commands.rollback import rollback
from support.repo.damage import age, cut, in_force, wipe
from support.repo.publisher import Publisher, writer
from support.repo.refusal import refused

KEYRING = "sample-archive-keyring"


INDEX = "main/binary-amd64/Packages.gz"


@pytest.mark.parametrize(
    ("file", "damage"),
    [("manifest.json", cut), (INDEX, cut), ("manifest.json", wipe), (INDEX, Path.unlink)],
)
def test_a_damaged_generation_is_named_and_a_rollback_mends_the_suite(
    file: str, damage: Callable[[Path], None], publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("world", "1.0"), suite="stable")
    damage(in_force(root) / file)
    words = "generation 2 of staging cannot be read"
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert f"staging: {words}" in verified.stdout
    status = publisher.hadeb("repo", "status", "--repo", root)
    assert status.code == 0
    assert words in status.stdout
    assert "hadeb rollback staging" in status.stdout
    done = publisher.hadeb(
        "publish", publisher.deb("world", "1.0"), "--suite", "staging", "--repo", root
    )
    refused(done, rf"{words}(.|\n)*hint: hadeb rollback staging")
    # The other suite goes on, and the pages keep both.
    publisher.publish(root, publisher.deb("world", "2.0"), suite="stable")
    assert 'id="suite-staging"' in (root / "index.html").read_text()
    pruned = publisher.hadeb("prune", "--keep", "1", "--repo", root)
    assert pruned.code == 0, pruned.stderr
    assert words in pruned.stderr
    assert "no package is removed" in pruned.stderr
    rolled = publisher.hadeb("rollback", "staging", "--repo", root)
    assert rolled.code == 0, rolled.stderr
    assert words in rolled.stderr
    assert publisher.listed(root) == {"hello 1.0", f"{KEYRING} 1"}
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    # The damaged one is still there, and nobody can go back to it.
    assert verified.stdout.splitlines() == [
        line for line in verified.stdout.splitlines() if words in line
    ]
    age(root)
    assert "- staging/2" in publisher.hadeb("prune", "--repo", root).stdout
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_rollback_with_a_damaged_generation_before_it_goes_to_the_next_whole_one(
    publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "3.0"))
    cut(root / "dists/.generations/staging/2/manifest.json")
    done = publisher.hadeb("rollback", "staging", "--repo", root)
    assert done.code == 0
    assert "generation 2 of staging cannot be read" in done.stderr
    assert publisher.listed(root) == {"hello 1.0", f"{KEYRING} 1"}


def test_a_damaged_rollback_is_repaired_from_its_source_generation(
    publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "3.0"))
    assert publisher.hadeb("rollback", "staging", "--repo", root).code == 0
    cut(in_force(root) / "manifest.json")
    assert publisher.hadeb("rollback", "staging", "--repo", root).code == 0
    assert publisher.listed(root) == {"hello 1.0", "hello 2.0", f"{KEYRING} 1"}


def test_a_generation_after_a_damaged_one_is_no_older(publisher: Publisher, root: Path) -> None:
    before = date_in(root)
    cut(in_force(root) / "manifest.json")
    late = writer(publisher, root)
    lagging = dataclasses.replace(late, now=late.now - datetime.timedelta(minutes=10))
    rollback(lagging, "staging", None, dry_run=False)
    assert date_in(root) > before


def date_in(root: Path) -> datetime.datetime:
    (date,) = re.findall("(?m)^Date: (.*)$", (in_force(root) / "Release").read_text())
    return parsedate_to_datetime(date)


@pytest.mark.parametrize("prepared", ["first", "pruned"])
def test_the_only_generation_is_found_again_where_its_link_is_lost(
    prepared: str, publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    if prepared == "pruned":
        publisher.publish(root, publisher.deb("hello", "2.0"))
        age(root)
        assert publisher.hadeb("prune", "--keep", "1", "--repo", root).code == 0
    (root / "dists/staging").unlink()
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert "staging: no link points to generation" in verified.stdout
    publisher.publish(root, publisher.deb("world", "1.0"))
    assert {"hello 1.0", "world 1.0"} <= publisher.listed(root)
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0


def test_a_suite_whose_link_is_lost_does_not_stop_the_others(
    publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("world", "1.0"), suite="stable")
    before = (root / "sample-staging.sources").read_bytes()
    (root / "dists/staging").unlink()
    words = "dists/staging is no longer a link to a generation of staging"
    publisher.publish(root, publisher.deb("world", "2.0"), suite="stable")
    assert 'id="suite-staging"' in (root / "index.html").read_text()
    assert (root / "sample-staging.sources").read_bytes() == before
    status = publisher.hadeb("repo", "status", "--repo", root)
    assert status.code == 0
    assert words in status.stdout
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 4
    assert words in verified.stdout
    done = publisher.hadeb("repo", "refresh", "--repo", root)
    refused(done, f"staging: .*{words}(.|\n)*hint: restore it: ln -sfn")
    assert "stable generation 3" in done.stdout
