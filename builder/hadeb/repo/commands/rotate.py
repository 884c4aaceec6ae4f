# SPDX-License-Identifier: Apache-2.0
"""Another key for a repository: the new one comes, both sign for a while, the old one goes.

apt takes a Release that any key it knows has signed. While both sign, machines with the old key
alone follow as ever, and get the new one with the package of keys, before it signs alone.
"""

from __future__ import annotations

import dataclasses
import datetime

from hadeb.errors import UsageError
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.keyring.publish import try_keys, with_keys
from hadeb.repo.model.contents import Published, difference
from hadeb.repo.model.repository import Repository
from hadeb.repo.session.settings import full_fingerprint, open_repository, save_repository
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Outcome, SignedAnew, Step, sign_anew


def add_key(caller: Writer, key: str, *, dry_run: bool = False) -> list[Outcome]:
    """Let another key sign besides those that do, and sign every suite anew.

    A key that is there already is no fault: the command may have been killed before.
    """
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        fingerprint = full_fingerprint(writer.keychain, key)
        keys = tuple(dict.fromkeys([*repository.keys, fingerprint]))
        signed = _signed_anew(writer, dataclasses.replace(repository, keys=keys), dry_run=dry_run)
    return signed.all()


def drop_key(caller: Writer, key: str, *, dry_run: bool = False) -> list[Outcome]:
    """Let a key sign no more, and sign every suite anew by those that are left."""
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        fingerprint = _of_repository(repository, key)
        left = tuple(known for known in repository.keys if known != fingerprint)
        if not left:
            raise UsageError(
                f"{fingerprint} is the only key that signs here",
                hint="first hadeb repo key add NEW; drop this one when all machines have upgraded",
            )
        since = datetime.datetime.fromtimestamp(repository.keyring_time, datetime.UTC)
        signed = _signed_anew(writer, dataclasses.replace(repository, keys=left), dry_run=dry_run)
    outcomes = signed.all()
    would = "would sign" if dry_run else "signs"
    caller.info(
        f"{fingerprint} {would} no more. A machine without {keyring_name(repository)} from "
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


def _signed_anew(writer: Writer, repository: Repository, *, dry_run: bool) -> SignedAnew:
    keys = try_keys(writer, repository)
    if dry_run:
        foreseen = _foreseen(writer, with_keys(repository, keys, writer.now.timestamp()))
        return SignedAnew(foreseen, {})
    if not repository.suites:
        save_repository(writer.tree, repository)
    return sign_anew(writer, repository, repository.suites, Step("key"))


def _foreseen(writer: Writer, repository: Repository) -> list[Outcome]:
    """What each suite would have more: the package with other keys."""
    name, version = keyring_name(repository), str(repository.keyring_version)
    outcomes = []
    for suite in repository.suites:
        old = contents_in_force(writer.tree, suite)
        package = Published(suite.components[0], name, version, "all", "", ())
        new = old if old.named(name, version) else old.with_packages([package])
        generation = writer.tree.current(suite.name)
        outcomes.append(Outcome(repository, suite, generation, difference(old, new)))
    return outcomes
