# SPDX-License-Identifier: Apache-2.0
"""The keys of a repository on their way to clients: as a package in each suite.

Whenever what clients are to know changes, a key or its end or the URL, the package gets a new
version. A suite has the newest one, whatever else is put into it or taken back.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import tarfile
from pathlib import Path

from hadeb.errors import CommandFailed
from hadeb.files.digest import digest
from hadeb.files.scratch import scratch_directory
from hadeb.repo.disk import pool
from hadeb.repo.disk.indexes import MANIFEST
from hadeb.repo.disk.layout import Tree
from hadeb.repo.intake.incoming import read_incoming, staging_in
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing import gpg
from hadeb.repo.site.sources import addresses, keyring_name
from hadeb.run import run


def current_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """The keys that sign now; HadebError where one is not here, or all have ended.

    One that has ended is left out, with a warning, as there is one before that.
    """
    keys = gpg.secret_keys(writer.keychain, repository.keys)
    for warning in gpg.warnings(keys, writer.now):
        writer.info(warning)
    return gpg.public_keys(writer.keychain, gpg.living(keys, writer.now))


def try_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """Let the keys sign something that nobody gets, before a repository is known to have them.

    With a key that gpg, a verifier or time refuses, no later command could do anything.
    """
    keys = current_keys(writer, repository)
    with (
        gpg.keyring_file(keys.binary) as keyring,
        scratch_directory("trial") as directory,
    ):
        for file in ("Release", "manifest.json"):
            (directory / file).write_text("a trial\n", encoding="utf-8")
        gpg.sign(writer.keychain, keys.keys, directory, writer.info)
        gpg.sign_apart(writer.keychain, keys.keys, directory, writer.info)
        gpg.verify(keyring, directory, len(keys.keys))
    return keys


def with_keys(repository: Repository, keys: PublicKeys, now: float) -> Repository:
    """The repository that says of itself which keys clients are to have."""
    if is_recorded(repository, keys):
        return repository
    return dataclasses.replace(
        repository,
        keyring_version=repository.keyring_version + 1,
        keyring_digest=_record(repository, keys),
        keyring_time=int(now),
    )


def is_recorded(repository: Repository, keys: PublicKeys) -> bool:
    """Whether the repository says of itself that clients are to have these keys, and no others."""
    return repository.keyring_digest == _record(repository, keys)


def _record(repository: Repository, keys: PublicKeys) -> str:
    urls = " ".join(addresses(repository))
    return hashlib.sha256(keys.binary + urls.encode()).hexdigest()


def with_keyring(
    writer: Writer,
    repository: Repository,
    keys: PublicKeys,
    suite: RepoSuite,
    contents: Contents,
    *,
    dry_run: bool,
) -> tuple[Repository, Contents]:
    """The list with today's package of keys in it, which is put into the pool unless `dry_run`.

    The repository counts one more version where the same keys do not give the same bytes.
    """
    tree = writer.tree
    if contents.named(keyring_name(repository), str(repository.keyring_version)):
        return repository, contents
    incoming = None if dry_run else tree.incoming
    with staging_in(incoming) as made, staging_in(incoming) as staging:
        repository, file = _keyring_file(tree, repository, keys, made)
        arrived = read_incoming([file], staging, suite, suite.components[0])
        if not dry_run:
            pool.place(tree, arrived)
    return repository, contents.with_packages(one.published for one in arrived)


def _keyring_file(
    tree: Tree, repository: Repository, keys: PublicKeys, made: Path
) -> tuple[Repository, Path]:
    """The package that some list has already, else one that is made in the directory `made`.

    Another release of hadeb makes other bytes of the same keys, and a version has the same bytes
    for good: what no list has whole any more comes back as the same bytes or as a new version. So
    does what a killed command has put into the pool and in no list.
    """
    # These take a tenth of the time that a whole publish has, and are wanted once in years.
    from hadeb.package.deb import write
    from hadeb.repo.keyring.package import keyring_package

    name = keyring_name(repository)
    while True:
        listed = _listed(tree, name, str(repository.keyring_version))
        for path, sha256 in listed.items():
            file = tree.root / path
            if (
                file.is_file()
                and pool.digest_of(file) == sha256
                and _keys_in(file, name)[0] == keys.binary
            ):
                return repository, file
        file_name = keyring_package(repository, keys, 0).file_name
        there = {old: pool.digest_of(old) for old in tree.root.glob(f"pool/*/*/{name}/{file_name}")}
        for time in [*(_keys_in(old, name)[1] for old in there), repository.keyring_time]:
            file = made / file_name
            file.write_bytes(write(keyring_package(repository, keys, time)))
            if {*there.values(), *listed.values()} <= {digest(file)}:
                return dataclasses.replace(repository, keyring_time=time), file
        version = repository.keyring_version + 1
        repository = dataclasses.replace(repository, keyring_version=version)


def _listed(tree: Tree, name: str, version: str) -> dict[str, str]:
    """Path and SHA256 of a package, as each generation that is kept lists it."""
    # A manifest has a line a package, which is quicker found than all of them are read.
    line = re.compile(
        rf'"package": "{re.escape(name)}", "version": "{re.escape(version)}", .*'
        r'"path": "([^"]+)", .*"sha256": "([0-9a-f]{64})"'
    )
    found = dict[str, str]()
    for manifest in tree.dists.glob(f".generations/*/*/{MANIFEST}"):
        found.update(line.findall(manifest.read_text("utf-8", "surrogateescape")))
    return found


def _keys_in(deb: Path, name: str) -> tuple[bytes, int]:
    """The keyring in a package, empty where it has none, and since when clients were to have it."""
    try:
        packed = run(("dpkg-deb", "--fsys-tarfile", str(deb))).stdout_bytes
        with tarfile.open(fileobj=io.BytesIO(packed)) as files:
            file = f"./usr/share/keyrings/{name}.pgp"
            member = files.extractfile(file)
            return (member.read() if member else b""), int(files.getmember(file).mtime)
    except (CommandFailed, KeyError, tarfile.TarError):
        return b"", 0
