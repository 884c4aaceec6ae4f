# SPDX-License-Identifier: Apache-2.0
"""Add the keyring package to a suite.

The package gets a new version whenever a key, its expiry or the URL changes. Every new generation
of a suite has the newest version, even after a rollback.
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
    """The repository with these keys recorded as those that clients get."""
    if is_recorded(repository, keys):
        return repository
    return dataclasses.replace(
        repository,
        keyring_version=repository.keyring_version + 1,
        keyring_digest=_keys_digest(repository, keys),
        keyring_time=int(now),
    )


def is_recorded(repository: Repository, keys: PublicKeys) -> bool:
    """Whether the repository records exactly these keys as those that clients get."""
    return repository.keyring_digest == _keys_digest(repository, keys)


def _keys_digest(repository: Repository, keys: PublicKeys) -> str:
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
    """The list with the current keyring package, which goes into the pool unless `dry_run`.

    If the same keys do not give the same bytes, the repository records a new version.
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
    """The package that a list already has, else one that is made in the directory `made`.

    A version must always have the same bytes, but another release of hadeb may make other bytes
    from the same keys. So if the pool no longer has the package, or a killed command put it there
    without listing it, it is made again with the same bytes or a new version.
    """
    # Importing these takes a tenth of a publish (tests/bench/repo_bench.py), and a package is made
    # once in years.
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
    """The path and SHA256 of a package in each generation that lists it."""
    # A manifest has one line for each package, and searching is faster than parsing all of it.
    line = re.compile(
        rf'"package": "{re.escape(name)}", "version": "{re.escape(version)}", .*'
        r'"path": "([^"]+)", .*"sha256": "([0-9a-f]{64})"'
    )
    entries = dict[str, str]()
    for manifest in tree.dists.glob(f".generations/*/*/{MANIFEST}"):
        entries.update(line.findall(manifest.read_text("utf-8", "surrogateescape")))
    return entries


def _keys_in(deb: Path, name: str) -> tuple[bytes, int]:
    """The keyring in a package, empty if it has none, and the keyring's time."""
    try:
        packed = run(("dpkg-deb", "--fsys-tarfile", str(deb))).stdout_bytes
        with tarfile.open(fileobj=io.BytesIO(packed)) as files:
            file = f"./usr/share/keyrings/{name}.pgp"
            member = files.extractfile(file)
            return (member.read() if member else b""), int(files.getmember(file).mtime)
    except (CommandFailed, KeyError, tarfile.TarError):
        return b"", 0
