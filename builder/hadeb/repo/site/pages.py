# SPDX-License-Identifier: Apache-2.0
"""The files at the root of a repository, for people and their machines. Pure.

All are made from the same values, so the commands on the page, the installer and the files to
download agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.model.suite_view import SuiteView, main_suite
from hadeb.repo.site.index_page import index_page
from hadeb.repo.site.sources import keyring_name, preferences, sources
from hadeb.repo.site.template import render


def pages(
    repository: Repository, keys: PublicKeys, suites: Sequence[SuiteView]
) -> dict[str, bytes]:
    """The content of each file by name. Without a suite, there is nothing for apt yet."""
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
    files = {file: text.encode() for file, text in texts.items()}
    return files | {f"{keyring_name(repository)}.pgp": keys.binary}


def _installer(repository: Repository, stanzas: dict[str, str], suites: Sequence[SuiteView]) -> str:
    """A POSIX shell script that adds the repository to a machine."""
    return render(
        "site/install.sh.j2",
        name=repository.name,
        main=main_suite(suites).name,
        suites=", ".join(stanzas),
        stanzas=stanzas,
        examples={view.name: view.example for view in suites},
    )
