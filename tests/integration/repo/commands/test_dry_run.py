# SPDX-License-Identifier: Apache-2.0
"""A dry run prints all that the command would do, or why hadeb would refuse it."""

from __future__ import annotations

from pathlib import Path

from support.repo.publisher import Publisher
from support.repo.refusal import refused

KEYRING = "sample-archive-keyring"
# There is no version of it that could do.
UNFIT = "Depends: nonesuch (>= 9), nonesuch (<< 2)\n"


def test_a_dry_run_says_all_that_publish_would_and_changes_nothing(
    publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    wanted = ("publish", publisher.deb("hello", "1.0"), "--suite", "staging", "--name", "sample")
    dry = publisher.hadeb(*wanted, "--repo", root, "--dry-run")
    assert dry.code == 0, dry.stderr
    assert dry.stdout.splitlines() == ["+ hello 1.0 all", f"+ {KEYRING} 1 all"]
    assert not root.exists()
    # With a key that is there, and with none: nobody gets to know the one for the occasion.
    dry = publisher.hadeb(*wanted, "--repo", root, "--key", publisher.key, "--dry-run")
    real = publisher.hadeb(*wanted, "--repo", root, "--key", publisher.key)
    assert real.stdout.splitlines() == [*dry.stdout.splitlines(), "staging generation 1"]


def test_a_dry_run_is_refused_where_apt_would_refuse(publisher: Publisher, root: Path) -> None:
    before = sorted(root.rglob("*"))
    broken = publisher.deb("broken", "1.0", fields=UNFIT)
    done = publisher.hadeb("publish", broken, "--suite", "staging", "--repo", root, "--dry-run")
    refused(done, "no version of nonesuch satisfies")
    assert sorted(root.rglob("*")) == before
