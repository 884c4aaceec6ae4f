# SPDX-License-Identifier: Apache-2.0
"""Which tests go to the same worker of pytest-xdist.

Its own groups (`--dist loadgroup`) do nothing since pytest 9.2, which no longer looks at the
attribute that they change.
"""

from __future__ import annotations

import re
import zlib

from xdist.scheduler import LoadScopeScheduling

from hadeb.debian.releases import SUITES

_SUITE = re.compile(rf"\b({'|'.join(SUITES)})\b")


def group_of(test: str) -> str:
    """The release of a test that boots nodes, else its file: two workers at most have nodes.

    `test` is its ID. Each node's systemd wants some inotify instances, and a machine has only so
    many (fs.inotify.max_user_instances).
    """
    file, _, name = test.partition("::")
    if not file.startswith("tests/system/"):
        return file
    if suite := _SUITE.search(name.partition("[")[2]):
        return suite[1]
    if file.startswith("tests/system/lab/"):
        return SUITES[zlib.crc32(file.encode()) % len(SUITES)]
    return file


class Distribution(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker one group after the other, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
