# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo key`: replace a repository's signing key.

Add the new key, let both sign for a while, then drop the old one. apt accepts a Release that any
key it knows has signed. While both keys sign, machines that know only the old key keep working,
and they get the new key with the keyring package before it signs alone.
"""

from __future__ import annotations

import dataclasses
import datetime

from hadeb.errors import UsageError
from hadeb.repo.commands.refresh import RefreshResult, refresh_suites
from hadeb.repo.disk.generation import contents_in_force
from hadeb.repo.disk.repository_file import open_repository, save_repository
from hadeb.repo.keyring.add_to_suite import record_keys
from hadeb.repo.keyring.signing_keys import try_keys
from hadeb.repo.model.contents import Published, difference
from hadeb.repo.model.repository import Repository
from hadeb.repo.session.writer import Writer, writing
from hadeb.repo.signing.keychain import full_fingerprint
from hadeb.repo.site.sources import keyring_name
from hadeb.repo.transaction import Operation, Outcome


def add_key(caller: Writer, key: str, *, dry_run: bool = False) -> list[Outcome]:
    """Add a signing key, and sign every suite again.

    Adding a key twice is no error, so you can repeat a command that was killed.
    """
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        fingerprint = full_fingerprint(writer.keychain, key)
        keys = tuple(dict.fromkeys([*repository.keys, fingerprint]))
        result = _sign_with(writer, dataclasses.replace(repository, keys=keys), dry_run=dry_run)
    result.raise_for_failures()
    return result.outcomes


def drop_key(caller: Writer, key: str, *, dry_run: bool = False) -> list[Outcome]:
    """Remove a signing key, and sign every suite again with the keys that are left."""
    with writing(caller, dry_run=dry_run) as writer:
        repository = open_repository(writer.tree)
        fingerprint = _recorded_key(repository, key)
        left = tuple(known for known in repository.keys if known != fingerprint)
        if not left:
            raise UsageError(
                f"{fingerprint} is the only key that signs this repository",
                hint="run hadeb repo key add NEW first, and drop this key when all machines have "
                "upgraded",
            )
        since = datetime.datetime.fromtimestamp(repository.keyring_time, datetime.UTC)
        result = _sign_with(writer, dataclasses.replace(repository, keys=left), dry_run=dry_run)
    result.raise_for_failures()
    would = "would no longer sign" if dry_run else "no longer signs"
    caller.info(
        f"{fingerprint} {would}. A machine without {keyring_name(repository)} from "
        f"{since:%Y-%m-%d} or later refuses the repository until you add it again, as index.html "
        "shows"
    )
    return result.outcomes


def _recorded_key(repository: Repository, key: str) -> str:
    """The key that the user names by its fingerprint, or by its last 16 or more digits."""
    end = "".join(key.split()).removeprefix("0x").upper()
    matches = [known for known in repository.keys if len(end) >= 16 and known.endswith(end)]
    if len(matches) != 1:
        raise UsageError(
            f"{key} does not sign this repository",
            hint=f"these keys do: {', '.join(repository.keys)}; hadeb repo refresh signs with them",
        )
    return matches[0]


def _sign_with(writer: Writer, repository: Repository, *, dry_run: bool) -> RefreshResult:
    """Sign every suite with the repository's keys."""
    keys = try_keys(writer, repository)
    if dry_run:
        recorded = record_keys(repository, keys, writer.now.timestamp())
        return RefreshResult(_expected_outcomes(writer, recorded), {})
    if not repository.suites:
        save_repository(writer.tree, repository)
    return refresh_suites(writer, repository, repository.suites, Operation("key"))


def _expected_outcomes(writer: Writer, repository: Repository) -> list[Outcome]:
    """What would change in each suite: it gets the keyring package with the other keys."""
    name, version = keyring_name(repository), str(repository.keyring_version)
    outcomes = []
    for suite in repository.suites:
        old = contents_in_force(writer.tree, suite)
        package = Published(suite.components[0], name, version, "all", "", ())
        new = old if old.named(name, version) else old.with_packages([package])
        generation = writer.tree.current(suite.name)
        outcomes.append(Outcome(repository, suite, generation, difference(old, new)))
    return outcomes
