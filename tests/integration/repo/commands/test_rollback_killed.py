# SPDX-License-Identifier: Apache-2.0
"""Repeating a killed rollback goes back by one generation only."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.repo import inspection
from support.repo.preload import calls, interposed
from support.repo.publisher import Publisher

KEYRING = "sample-archive-keyring"


@pytest.mark.parametrize(
    "moment",
    [
        r"^rename .*/4\.json$",
        r"^rename .*/dists/staging$",
        r"index\.html",
        r"^unlink .*/4\.rollback$",
    ],
    ids=["record", "switch", "pages", "end"],
)
def test_a_rollback_that_was_killed_goes_back_once_when_it_is_called_again(
    moment: str, publisher: Publisher, root: Path, interposer: Path, tmp_path: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "3.0"))
    log, copy = tmp_path / "calls", tmp_path / "copy"

    def on_a_copy(**how: int | Path) -> int:
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", root, copy], check=True)
        environment = interposed(interposer, copy, **how)
        return publisher.hadeb("rollback", "staging", "--repo", copy, environment=environment).code

    assert on_a_copy(log=log) == 0
    points = calls(log)
    numbers = [number for number, call in enumerate(points, 1) if re.search(moment, call)]
    assert numbers, points
    for number in {numbers[0], numbers[0] + 1, len(points)}:
        if number > len(points):
            continue
        assert on_a_copy(kill=number) == -9
        done = publisher.hadeb("rollback", "staging", "--repo", copy)
        assert done.code == 0, done.stderr
        assert publisher.listed(copy) == {"hello 1.0", "hello 2.0", f"{KEYRING} 1"}
        assert inspection.leftovers(copy) == []
        assert publisher.hadeb("repo", "verify", "--repo", copy).code == 0
    # A deliberate second rollback goes back further.
    assert publisher.hadeb("rollback", "staging", "--repo", copy).code == 0
    assert publisher.listed(copy) == {"hello 1.0", f"{KEYRING} 1"}


def test_a_killed_rollback_does_not_count_after_another_change(
    publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "3.0"))
    assert publisher.hadeb("rollback", "staging", "--repo", root).code == 0
    # As after a kill at the end of it.
    (root / ".hadeb/history/staging/4.rollback").touch()
    publisher.publish(root, publisher.deb("hello", "4.0"))
    assert publisher.hadeb("rollback", "staging", "--repo", root).code == 0
    assert publisher.listed(root) == {"hello 1.0", "hello 2.0", f"{KEYRING} 1"}
    assert publisher.hadeb("rollback", "staging", "--repo", root).code == 0
    assert publisher.listed(root) == {"hello 1.0", f"{KEYRING} 1"}
    assert inspection.leftovers(root) == []
