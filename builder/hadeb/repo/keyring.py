# SPDX-License-Identifier: Apache-2.0
"""The keys of a repository on their way to clients: as a package in each suite.

Whenever what clients are to know changes, a key or its end or the URL, the package gets a new
version. A suite has the newest one, whatever else is put into it or taken back.
"""

from __future__ import annotations

import dataclasses
import hashlib

from hadeb.repo import pool, signing
from hadeb.repo.contents import Contents
from hadeb.repo.identity import Repository, RepoSuite
from hadeb.repo.incoming import read_incoming, staging_in
from hadeb.repo.keys import PublicKeys
from hadeb.repo.sources import addresses, keyring_name
from hadeb.repo.throwaway import throwaway
from hadeb.repo.writer import Writer


def current_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """The keys that sign; HadebError where one is not here or has ended, a warning before that."""
    keys = signing.secret_keys(writer.keychain, repository.keys)
    for warning in signing.check_expiry(keys, writer.now):
        writer.say(warning)
    return signing.public_keys(writer.keychain, keys)


def try_keys(writer: Writer, repository: Repository) -> None:
    """Let the keys sign something that nobody gets, before a repository is known to have them.

    With a key that gpg, a verifier or time refuses, no later command could do anything.
    """
    keys = current_keys(writer, repository)
    with (
        signing.keyring_file(keys.binary) as keyring,
        throwaway("trial") as directory,
    ):
        for file in ("Release", "manifest.json"):
            (directory / file).write_text("a trial\n", encoding="utf-8")
        signing.sign(writer.keychain, repository.keys, directory)
        signing.verify(keyring, directory, len(repository.keys))


def with_keys(repository: Repository, keys: PublicKeys, now: float) -> Repository:
    """The repository that says of itself which keys clients are to have."""
    urls = " ".join(addresses(repository))
    digest = hashlib.sha256(keys.binary + urls.encode()).hexdigest()
    if digest == repository.keyring_digest:
        return repository
    return dataclasses.replace(
        repository,
        keyring_version=repository.keyring_version + 1,
        keyring_digest=digest,
        keyring_time=int(now),
    )


def with_keyring(
    writer: Writer, repository: Repository, keys: PublicKeys, suite: RepoSuite, contents: Contents
) -> Contents:
    """The list with today's package of keys in it, which is put into the pool."""
    name, version = keyring_name(repository), str(repository.keyring_version)
    if contents.named(name, version):
        return contents
    # These take a tenth of the time that a whole publish has, and are wanted once in years.
    from hadeb.deb import write
    from hadeb.repo.keyring_package import keyring_package

    package = keyring_package(repository, keys, repository.keyring_time)
    with staging_in(writer.tree.incoming) as made, staging_in(writer.tree.incoming) as staging:
        file = made / package.file_name
        file.write_bytes(write(package))
        arrived = read_incoming([file], staging, suite, suite.components[0])
        pool.place(writer.tree, arrived)
    return contents.with_packages(one.published for one in arrived)
