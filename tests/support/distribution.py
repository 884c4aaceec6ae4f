# SPDX-License-Identifier: Apache-2.0
"""Which tests go to the same worker of pytest-xdist.

Its own groups (`--dist loadgroup`) do nothing since pytest 9.2, which no longer looks at the
attribute that they change.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

from hadeb.debian.releases import SUITES

_SUITE = re.compile(rf"\b({'|'.join(SUITES)})\b")


def group_of(test: str) -> str:
    """The release of a test that boots nodes of it, since such tests share nodes; else its file.

    `test` is its ID.
    """
    file, _, name = test.partition("::")
    suite = _SUITE.search(name.partition("[")[2])
    return suite[1] if suite and file.startswith("tests/system/") else file


class Distribution(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker one group after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
