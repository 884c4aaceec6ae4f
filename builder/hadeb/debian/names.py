# SPDX-License-Identifier: Apache-2.0
"""What a name, a version and an architecture may be (Debian Policy, 5.6). Pure.

All of them become parts of paths, of URLs and of JSON: nothing that the grammar does not have may
come in.
"""

from __future__ import annotations

import re

from hadeb.errors import UsageError

PACKAGE = re.compile("[a-z0-9][a-z0-9+.-]+")
# A number that dpkg can hold, then what begins with a digit and does not end where a revision is
# to follow.
VERSION = re.compile("(?:[0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]*(?<!-)")
SOURCE_FIELD = re.compile(rf"(?P<name>{PACKAGE.pattern})(?: ?\({VERSION.pattern}\))?")
FILE_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9.+~_-]*")
_ARCHITECTURE = re.compile("[a-z0-9][a-z0-9-]*")
_NO_MACHINE = {"all", "any", "source"}


def check_architecture(name: str) -> None:
    """UsageError where a suite cannot be for it."""
    if name in _NO_MACHINE or not _ARCHITECTURE.fullmatch(name):
        raise UsageError(
            f"--architecture {name!r} is no architecture of machines",
            hint="name one as dpkg --print-architecture does on a node, such as amd64; packages "
            "for all, and sources, go to every suite",
        )


def check_codename(name: str) -> None:
    """UsageError where no Release and no path can have it."""
    if not FILE_NAME.fullmatch(name):
        raise UsageError(
            f"--codename {name!r} cannot be a codename",
            hint="letters, digits, and . + ~ _ - after the first; a suite's name is one, too",
        )
