# SPDX-License-Identifier: Apache-2.0
"""Which tests share a worker."""

from __future__ import annotations

import pytest

from support.distribution import group_of


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/system/agents/test_hook.py::test_x[trixie-systemctl kill]", "trixie"),
        ("tests/system/repo/test_clients.py::test_x[bookworm]", "bookworm"),
        ("tests/system/lab/test_data.py::test_x", "tests/system/lab/test_data.py"),
        ("tests/system/repo/test_full_disk.py::test_x", "tests/system/repo/test_full_disk.py"),
        (
            "tests/unit/lab/test_image.py::test_x[trixie]",
            "tests/unit/lab/test_image.py",
        ),
    ],
)
def test_the_nodes_of_a_release_stay_with_one_worker(test: str, group: str) -> None:
    assert group_of(test) == group
