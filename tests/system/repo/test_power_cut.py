# SPDX-License-Identifier: Apache-2.0
"""Power cuts while a repository changes: at some points here, at all in `make repo-cuts`."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repo.publisher import Publisher
from targets.repo_cuts import PowerCuts
from targets.repo_kills import SCENES, Scene

_TIMES = 20
_SEED = 1


@pytest.mark.parametrize("scene", [SCENES[0], SCENES[1], SCENES[-1]], ids=lambda scene: scene.name)
def test_a_power_cut_leaves_a_whole_suite_and_the_same_command_finishes(
    scene: Scene, as_root: None, publisher: Publisher, interposer: Path, tmp_path: Path
) -> None:
    cuts = PowerCuts(scene, publisher, interposer, tmp_path / "cuts", _SEED).run(_TIMES)
    assert cuts.faults == {}
    assert cuts.cuts > 5
    assert cuts.finished > 0


def test_without_fsync_a_power_cut_breaks_the_suite_or_these_tests_would_find_nothing(
    as_root: None, publisher: Publisher, interposer: Path, tmp_path: Path
) -> None:
    cuts = PowerCuts(SCENES[1], publisher, interposer, tmp_path / "cuts", _SEED)
    faults = [fault for each in cuts.run(_TIMES, no_sync=1).faults.values() for fault in each]
    # Not only that the end was lost: a client sees an index or a file that is not whole.
    assert any("is not what" in fault or "refuses" in fault for fault in faults), faults
