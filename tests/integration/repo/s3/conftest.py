# SPDX-License-Identifier: Apache-2.0
"""An object store, and an empty place in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from hadeb.repo.commands import prune
from hadeb.repo.s3 import pool_placeholders, push
from support.repo.object_store import (
    Server,
    Stored,
)
from support.repo.object_store import server as storing
from support.repo.publisher import Publisher


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with storing() as made:
        yield made


@pytest.fixture
def stored(server: Server, publisher: Publisher) -> Stored:
    """A place with nothing in it, and the packages hello and world beside the publisher."""
    for version in ("1.0", "2.0", "3.0"):
        publisher.deb("hello", version)
        publisher.deb("world", version)
    return Stored(server, publisher, f"apt-{uuid.uuid4()}")


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time enough has passed for a prune to take what it may."""
    monkeypatch.setattr(prune, "_GRACE", -10)
    monkeypatch.setattr(pool_placeholders, "GRACE", -10)
    monkeypatch.setattr(push, "GRACE", -10)
