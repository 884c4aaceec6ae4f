# SPDX-License-Identifier: Apache-2.0
"""The files for a client's apt: .sources, and preferences that allow a downgrade. Pure."""

from __future__ import annotations

import re

from hadeb.repo.model.contents import SOURCE
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite

# apt downgrades an installed package only for a priority above 1000; the usual one is 500
# (apt_preferences(5)).
_NEVER_DOWN, _ALSO_DOWN = 990, 1001
# What a pin's value cannot hold: a comma ends it, and the others are pattern characters.
_NO_PIN = re.compile(r"[,*\[\]\\/]")


def keyring_name(repository: Repository) -> str:
    """The name of the keyring package and of its files."""
    return f"{repository.name}-archive-keyring"


def address(repository: Repository) -> str:
    """The repository's URL without a trailing slash."""
    return repository.url.rstrip("/")


def addresses(repository: Repository) -> list[str]:
    """The URLs that clients may know: the current one and the former ones."""
    return [url.rstrip("/") for url in (repository.url, *repository.former_urls)]


def sources(repository: Repository, suite: RepoSuite, keys: PublicKeys) -> str:
    """A .sources file for a suite. It holds the keys, so it needs no other file."""
    architectures = [name for name in suite.architectures if name not in {SOURCE, "all"}]
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
    """Preferences that let apt follow a suite to older versions (apt_preferences(5)).

    The keyring package is an exception: a rollback is signed with the current keys, and machines
    with an older keyring might not know them.
    """
    pin = f"Pin: release o={_pinned(repository.origin)},n={_pinned(suite.codename)}"
    return (
        f"Explanation: Go back to an older version when {suite.name} does.\n"
        f"Package: *\n{pin}\nPin-Priority: {_ALSO_DOWN}\n"
        "\n"
        "Explanation: With older keys, apt could not verify what new keys sign.\n"
        f"Package: {keyring_name(repository)}\n{pin}\nPin-Priority: {_NEVER_DOWN}\n"
    )


def _pinned(text: str) -> str:
    # apt takes the value as a pattern, in which ? matches any character.
    return _NO_PIN.sub("?", text.strip())
