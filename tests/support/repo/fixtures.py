# SPDX-License-Identifier: Apache-2.0
"""A publisher, a repository with two packages, and hooks on hadeb's file access."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.repo import preload
from support.repo.publisher import Publisher, publishing


@pytest.fixture(scope="session")
def publisher() -> Iterator[Publisher]:
    """A publisher with a key that is good for three years."""
    # A socket of gpg-agent wants a short path, which pytest's own directories may not have.
    with (
        tempfile.TemporaryDirectory(prefix="hadeb-desk-") as name,
        publishing(Path(name)) as made,
    ):
        yield made


@pytest.fixture
def root(publisher: Publisher, tmp_path: Path) -> Path:
    """A repository with hello 1.0 and 2.0 in its suite `staging`, each in a generation."""
    path = tmp_path / "repository"
    publisher.publish(path, publisher.deb("hello", "1.0"))
    publisher.publish(path, publisher.deb("hello", "2.0"))
    return path


@pytest.fixture(scope="session")
def interposer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that counts calls which change files, and lets none of a number happen."""
    return preload.compiled(tmp_path_factory.mktemp("interposer"))
