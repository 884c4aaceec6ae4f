# SPDX-License-Identifier: Apache-2.0
"""Another key for a repository: the new one comes, both sign for a while, the old one goes.

apt takes a Release that any key it knows has signed. While both sign, machines with the old key
alone follow as ever, and get the new one with the package of keys, before it signs alone.
"""

from __future__ import annotations

import dataclasses
import datetime

from hadeb.errors import UsageError
from hadeb.repo.identity import Repository
from hadeb.repo.keyring import try_keys
from hadeb.repo.opening import full_fingerprint, open_repository
from hadeb.repo.sources import keyring_name
from hadeb.repo.transaction import Outcome, Step, sign_anew
from hadeb.repo.writer import Writer, writing


def add_key(writer: Writer, key: str) -> list[Outcome]:
    """Let another key sign besides those that do, and sign every suite anew.

    A key that is there already is no fault: the command may have been killed before.
    """
    with writing(writer):
        repository = open_repository(writer.tree)
        fingerprint = full_fingerprint(writer.keychain, key)
        keys = tuple(dict.fromkeys([*repository.keys, fingerprint]))
        return _signed_anew(writer, dataclasses.replace(repository, keys=keys))


def drop_key(writer: Writer, key: str) -> list[Outcome]:
    """Let a key sign no more, and sign every suite anew by those that are left."""
    with writing(writer):
        repository = open_repository(writer.tree)
        fingerprint = _of_repository(repository, key)
        left = tuple(known for known in repository.keys if known != fingerprint)
        if not left:
            raise UsageError(
                f"{fingerprint} is the only key that signs here",
                hint="first hadeb repo key add NEW; drop this one when all machines have upgraded",
            )
        since = datetime.datetime.fromtimestamp(repository.keyring_time, datetime.UTC)
        outcomes = _signed_anew(writer, dataclasses.replace(repository, keys=left))
        writer.say(
            f"{fingerprint} signs no more. A machine without {keyring_name(repository)} from "
            f"{since:%Y-%m-%d} or later refuses the repository until it is added anew, "
            "as index.html says"
        )
        return outcomes


def _of_repository(repository: Repository, key: str) -> str:
    """The key that a user means, by its fingerprint or the end of it."""
    end = "".join(key.split()).removeprefix("0x").upper()
    found = [known for known in repository.keys if len(end) >= 16 and known.endswith(end)]
    if len(found) != 1:
        raise UsageError(
            f"{key} is no key that signs here",
            hint=f"these do: {', '.join(repository.keys)}; hadeb repo refresh signs by them anew",
        )
    return found[0]


def _signed_anew(writer: Writer, repository: Repository) -> list[Outcome]:
    try_keys(writer, repository)
    return sign_anew(writer, repository, repository.suites, Step("key"))
