# SPDX-License-Identifier: Apache-2.0
"""The pages beside the indexes, written where they have changed."""

from __future__ import annotations

from hadeb.repo.identity import Repository
from hadeb.repo.signing import export
from hadeb.repo.writer import Writer


def write_pages(writer: Writer, repository: Repository) -> None:
    """stub"""
    (writer.tree.root / f"{repository.name}-archive-keyring.pgp").write_bytes(
        export(writer.keychain, repository.keys)[0]
    )
