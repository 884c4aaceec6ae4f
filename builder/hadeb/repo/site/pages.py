# SPDX-License-Identifier: Apache-2.0
"""The files at the root of a repository, beside its indexes, for people and their machines. Pure.

Each is made from the same few values, so that what the page tells to type, what the installer
writes and what lies there to be downloaded are one text.
"""

from __future__ import annotations

from collections.abc import Sequence

from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.model.suite_view import SuiteView, main_suite
from hadeb.repo.site.index_page import index_page
from hadeb.repo.site.sources import keyring_name, preferences, sources
from hadeb.repo.site.template import filled


def pages(
    repository: Repository, keys: PublicKeys, suites: Sequence[SuiteView]
) -> dict[str, bytes]:
    """Each file's name and content. Without a suite there is nothing for apt yet."""
    name = repository.name
    stanzas = {view.name: sources(repository, view.suite, keys) for view in suites}
    texts = {f"{name}-{suite}.sources": stanza for suite, stanza in stanzas.items()}
    if suites:
        texts |= {
            f"{name}.sources": stanzas[main_suite(suites).name],
            f"{name}.pref": "\n".join(preferences(repository, view.suite) for view in suites),
            "install.sh": _installer(repository, stanzas, suites),
        }
    texts |= {
        f"{keyring_name(repository)}.asc": keys.armored,
        "index.html": index_page(repository, keys, suites, stanzas),
    }
    made = {file: text.encode() for file, text in texts.items()}
    return made | {f"{keyring_name(repository)}.pgp": keys.binary}


def _installer(repository: Repository, stanzas: dict[str, str], suites: Sequence[SuiteView]) -> str:
    """A program of POSIX sh that adds the repository to a machine."""
    return filled(
        "site/install.sh.in",
        name=repository.name,
        main=main_suite(suites).name,
        suites=", ".join(stanzas),
        sources=_case({suite: f"cat <<'END'\n{text}END" for suite, text in stanzas.items()}),
        examples=_case({view.name: f"echo '{view.example}'" for view in suites}),
    )


def _case(commands: dict[str, str]) -> str:
    """What the shell is to do for each suite."""
    unknown = f'fail "there is no suite $1; the suites are: {", ".join(commands)}"'
    cases = [*commands.items(), ("*", unknown)]
    lines = [f"    {suite})\n        {command}\n        ;;" for suite, command in cases]
    return "\n".join(['case "$1" in', *lines, "    esac"])
