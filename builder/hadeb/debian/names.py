# SPDX-License-Identifier: Apache-2.0
"""The names of packages, files, architectures and codenames (Debian Policy 5.6). Pure.

Names become parts of paths, URLs and JSON, so the patterns admit only what the grammar allows.
Versions have a module of their own.
"""

from __future__ import annotations

import re

from hadeb.debian.version import VERSION_PATTERN
from hadeb.errors import UsageError

# As strings where a larger pattern is made of them, such as a relation or a JSON schema.
PACKAGE_PATTERN = "[a-z0-9][a-z0-9+.-]+"
ARCHITECTURE_PATTERN = "[a-z0-9][a-z0-9-]*"

PACKAGE = re.compile(PACKAGE_PATTERN)
SOURCE_FIELD = re.compile(rf"(?P<name>{PACKAGE_PATTERN})(?: ?\({VERSION_PATTERN}\))?")
FILE_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9.+~_-]*")
_ARCHITECTURE = re.compile(ARCHITECTURE_PATTERN)
_NOT_A_MACHINE = {"all", "any", "source"}


def check_architecture(name: str) -> None:
    """Raise UsageError if no machine has this architecture, so that no suite can be for it."""
    if name in _NOT_A_MACHINE or not _ARCHITECTURE.fullmatch(name):
        raise UsageError(
            f"--architecture {name!r} is not the architecture of a machine",
            hint="name one as dpkg --print-architecture prints it on a node, such as amd64; "
            "packages for all, and sources, go to every suite",
        )


def check_codename(name: str) -> None:
    """Raise UsageError if a Release file or a path cannot hold this codename."""
    if not FILE_NAME.fullmatch(name):
        raise UsageError(
            f"--codename {name!r} cannot be a codename",
            hint="use letters, digits and . + ~ _ -, with a letter or digit first; a suite's name "
            "follows the same rule",
        )
