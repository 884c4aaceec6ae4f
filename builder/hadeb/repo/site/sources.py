# SPDX-License-Identifier: Apache-2.0
"""What a client's apt is given: where the repository is, and how to follow it down. Pure."""

from __future__ import annotations

import re

from hadeb.repo.model.contents import SOURCE
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite

# Between a package's and a suite's: apt never goes below a version that is installed for less
# than 1000, and prefers this one to any that has the usual 500 (apt_preferences(5)).
_NEVER_DOWN, _ALSO_DOWN = 990, 1001
# What a pin's value cannot hold: the comma ends it, and the others are a pattern's own.
_NO_PIN = re.compile(r"[,*\[\]\\/]")


def keyring_name(repository: Repository) -> str:
    """The package with the keys, and its files' name."""
    return f"{repository.name}-archive-keyring"


def address(repository: Repository) -> str:
    """The repository's URL, without a slash at its end."""
    return repository.url.rstrip("/")


def addresses(repository: Repository) -> list[str]:
    """The URLs that clients may know the repository by: the one of today, and former ones."""
    return [url.rstrip("/") for url in (repository.url, *repository.former_urls)]


def sources(repository: Repository, suite: RepoSuite, keys: PublicKeys) -> str:
    """A .sources file for a suite, which needs no other file: the keys are in it."""
    architectures = [one for one in suite.architectures if one not in {SOURCE, "all"}]
    lines = [
        "Types: deb",
        f"URIs: {address(repository)}",
        f"Suites: {suite.name}",
        f"Components: {' '.join(suite.components)}",
        *([f"Architectures: {' '.join(architectures)}"] if architectures else []),
        keys.signed_by,
    ]
    return "".join(f"{line}\n" for line in lines)


def preferences(repository: Repository, suite: RepoSuite) -> str:
    """What lets apt follow a suite down again (apt_preferences(5)), but not to older keys.

    The release that is rolled back to is signed with today's keys, which older ones may not be.
    """
    pin = f"Pin: release o={_pinned(repository.origin)},n={_pinned(suite.codename)}"
    return (
        f"Explanation: Go back to an older version, too, when {suite.name} does.\n"
        f"Package: *\n{pin}\nPin-Priority: {_ALSO_DOWN}\n"
        "\n"
        "Explanation: Old keys would not know what is signed with new ones.\n"
        f"Package: {keyring_name(repository)}\n{pin}\nPin-Priority: {_NEVER_DOWN}\n"
    )


def _pinned(text: str) -> str:
    # apt takes the value as a pattern, in which ? is any one character.
    return _NO_PIN.sub("?", text.strip())
