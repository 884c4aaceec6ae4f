# SPDX-License-Identifier: Apache-2.0
"""What tests of repositories share: a publisher's desk, and what stands between hadeb and files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.repo import preload, publishing
from support.repo.publishing import Desk


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """A publisher with a key that is good for three years."""
    # A socket of gpg-agent wants a short path, which pytest's own directories may not have.
    with (
        tempfile.TemporaryDirectory(prefix="hadeb-desk-") as name,
        publishing.desk(Path(name)) as made,
    ):
        yield made


@pytest.fixture
def root(desk: Desk, tmp_path: Path) -> Path:
    """A repository with hello 1.0 and 2.0 in its suite `staging`, each in a generation."""
    path = tmp_path / "repository"
    desk.publish(path, desk.deb("hello", "1.0"))
    desk.publish(path, desk.deb("hello", "2.0"))
    return path


@pytest.fixture(scope="session")
def interposer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that counts calls which change files, and lets none of a number happen."""
    return preload.compiled(tmp_path_factory.mktemp("interposer"))
