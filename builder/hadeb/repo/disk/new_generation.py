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

# Of Debian's own indexes, level 6 takes a third more time for a hundredth of the size.
_LEVEL = 5


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """What a generation says of itself. `date` is to the second, in UTC."""

    number: int
    date: datetime.datetime


def lay_out(
    directory: Path,
    repository: Repository,
    suite: RepoSuite,
    contents: Contents,
    indexes: Mapping[tuple[str, str], bytes],
    info: GenerationInfo,
) -> None:
    """Write a generation's files, all but the signatures, into an empty directory.

    `indexes` are those of the contents, by component and architecture.
    """
    said = {
        "repository": repository.name,
        "origin": repository.origin,
        "suite": suite.name,
        "codename": suite.codename,
        "generation": info.number,
        "date": f"{info.date:%Y-%m-%dT%H:%M:%SZ}",
    }
    plain = []
    with ThreadPoolExecutor() as threads:
        packed = []
        for key, path in index_paths(suite).items():
            content = indexes[key]
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            # zlib lets others run meanwhile, and takes longer than all the rest.
            packed.append(threads.submit(_write_compressed, directory / f"{path}.gz", content))
            (directory / path).write_bytes(content)
            plain.append(directory / path)
        (directory / MANIFEST).write_bytes(manifest(contents, said))
        for each in packed:
            each.result()
    (directory / "Release").write_text(
        _release(directory, repository, suite, info), encoding="utf-8"
    )
    # Release names them, and no client takes the longer way.
    for file in plain:
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
    """Release by apt-ftparchive(1)."""
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
        # It writes the date only where it is told a time, too, from which it would count today.
        fields["ValidTime"] = str(suite.valid_days * 86400)
        fields["Valid-Until"] = rfc5322(valid_until(suite, info.date))
    settings = {f"Release::{name}": value for name, value in fields.items()}
    return ftparchive("release", directory, settings)
