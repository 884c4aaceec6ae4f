# SPDX-License-Identifier: Apache-2.0
"""Write the files of a new generation: indexes, manifest.json and Release."""

from __future__ import annotations

import datetime
import hashlib
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.dates import rfc5322
from hadeb.repo.apt.ftparchive import ftparchive
from hadeb.repo.disk.generation import valid_until
from hadeb.repo.disk.indexes import MANIFEST, index_paths, manifest
from hadeb.repo.model.contents import Contents
from hadeb.repo.model.repository import Repository, RepoSuite

# For Debian's own indexes, level 6 takes a third more time and saves a hundredth of the size.
_LEVEL = 5


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """The number of a generation, and its date in UTC, to the second."""

    number: int
    date: datetime.datetime


def write_generation(
    directory: Path,
    repository: Repository,
    suite: RepoSuite,
    contents: Contents,
    indexes: Mapping[tuple[str, str], bytes],
    info: GenerationInfo,
) -> None:
    """Write a generation's files, except the signatures, into an empty directory.

    `indexes` are those of the contents, by component and architecture.
    """
    header = {
        "repository": repository.name,
        "origin": repository.origin,
        "suite": suite.name,
        "codename": suite.codename,
        "generation": info.number,
        "date": f"{info.date:%Y-%m-%dT%H:%M:%SZ}",
    }
    uncompressed = []
    with ThreadPoolExecutor() as threads:
        compressed = []
        for key, path in index_paths(suite).items():
            content = indexes[key]
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            # zlib releases the interpreter lock, and takes longer than all the rest.
            compressed.append(threads.submit(_write_compressed, directory / f"{path}.gz", content))
            (directory / path).write_bytes(content)
            uncompressed.append(directory / path)
        (directory / MANIFEST).write_bytes(manifest(contents, header))
        for future in compressed:
            future.result()
    (directory / "Release").write_text(
        _release(directory, repository, suite, info), encoding="utf-8"
    )
    # apt-ftparchive had to see them for Release, but clients fetch the compressed ones.
    for file in uncompressed:
        file.unlink()


def _write_compressed(path: Path, content: bytes) -> None:
    compressor = zlib.compressobj(_LEVEL, wbits=31)
    packed = compressor.compress(content) + compressor.flush()
    path.write_bytes(packed)
    by_hash = path.parent / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True, exist_ok=True)
    (by_hash / hashlib.sha256(packed).hexdigest()).hardlink_to(path)


def _release(
    directory: Path, repository: Repository, suite: RepoSuite, info: GenerationInfo
) -> str:
    """The text of Release, by apt-ftparchive(1)."""
    fields = {
        "Origin": repository.origin,
        "Label": repository.label,
        "Suite": suite.name,
        "Codename": suite.codename,
        "Date": rfc5322(info.date),
        "Architectures": " ".join(suite.architectures),
        "Components": " ".join(suite.components),
        "Description": f"{repository.origin}, {suite.name}",
        "Acquire-By-Hash": "yes",
        "Patterns::": MANIFEST,
    }
    if suite.valid_days:
        # It writes Valid-Until only if ValidTime is set too, which it would count from now.
        fields["ValidTime"] = str(suite.valid_days * 86400)
        fields["Valid-Until"] = rfc5322(valid_until(suite, info.date))
    settings = {f"Release::{name}": value for name, value in fields.items()}
    return ftparchive("release", directory, settings)
