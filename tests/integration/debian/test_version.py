# SPDX-License-Identifier: Apache-2.0
"""hadeb orders versions as dpkg does."""

from __future__ import annotations

import itertools

from hadeb.debian.version import version_key
from hadeb.run import run

VERSIONS = (
    "1",
    "1.0",
    "1.0~rc1",
    "1.0-1",
    "1.0-1+b1",
    "1.0+a",
    "1.0a",
    "1:0.1",
    "1.0-1~",
    "10",
    "9",
)


def test_versions_sort_as_dpkg_has_them() -> None:
    for left, right in itertools.combinations(VERSIONS, 2):
        older = run(("dpkg", "--compare-versions", left, "lt", right), check=False).returncode == 0
        assert (version_key(left) < version_key(right)) is older, (left, right)
