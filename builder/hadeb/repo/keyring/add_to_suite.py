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
from hadeb.repo.disk import pool
from hadeb.repo.disk.indexes import MANIFEST
from hadeb.repo.disk.layout import Tree
from hadeb.repo.intake.incoming import read_incoming
from hadeb.repo.intake.staging import staging_directory
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.session.writer import Writer
from hadeb.repo.site.sources import addresses, keyring_name
from hadeb.run import run


def record_keys(repository: Repository, keys: PublicKeys, now: float) -> Repository:
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


def add_keyring(
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
    with staging_directory(incoming) as made, staging_directory(incoming) as staging:
        repository, file = _keyring_file(tree, repository, keys, made)
        arrived = read_incoming([file], staging, suite, suite.components[0])
        if not dry_run:
            pool.add(tree, arrived)
    return repository, contents.with_packages(package.published for package in arrived)


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
