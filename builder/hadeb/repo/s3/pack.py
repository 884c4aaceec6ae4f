# SPDX-License-Identifier: Apache-2.0
"""A generation as one object: a ZIP archive of its files.

The by-hash indexes are left out, since they follow from the others.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.repo.s3.client import ObjectStore


def pack(directory: Path) -> bytes:
    """Pack the generation in a directory."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory)
            if path.is_file() and "by-hash" not in name.parts:
                archive.write(path, name)
    return written.getvalue()


def unpack(store: ObjectStore, path: str, directory: Path) -> None:
    """Download a packed generation into a directory, and link its by-hash indexes."""
    stored = store.get(path)
    if stored is None:
        raise HadebError(
            f"{store.bucket}/{path}, which holds a generation, is gone",
            hint="restore it from an older version of the object",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(stored[0])) as archive:
            archive.extractall(directory)
    except zipfile.BadZipFile as error:
        raise HadebError(f"{store.bucket}/{path} is damaged: {error}") from error
    link_by_hash(directory)


def link_by_hash(directory: Path) -> None:
    """Link each index of a generation under by-hash/SHA256."""
    for index in [path for path in directory.rglob("*.gz") if path.parent != directory]:
        by_hash = index.parent / "by-hash" / "SHA256"
        by_hash.mkdir(parents=True)
        (by_hash / digest(index)).hardlink_to(index)
