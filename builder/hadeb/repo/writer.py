# SPDX-License-Identifier: Apache-2.0
"""Whoever changes a repository: with what keys, under what name, one at a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hadeb.repo import signing
from hadeb.repo.lock import locked
from hadeb.repo.opening import open_repository
from hadeb.repo.tree import Tree


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes a repository, with whose keys, and how they hear of it. `now` is in UTC.

    Where the tree is a copy of the repository, `hand_over` brings a change to the repository, and
    `amiss` says what was found wrong with it while it was copied.
    """

    tree: Tree
    keychain: signing.Keychain
    who: str
    now: datetime.datetime
    say: Callable[[str], None]
    hand_over: Callable[[], None] | None = None
    amiss: tuple[str, ...] = ()


@contextmanager
def writing(writer: Writer) -> Iterator[None]:
    """Be the one who changes the repository; waits for whoever is."""
    if not writer.tree.state.is_dir():
        open_repository(writer.tree)
    with locked(writer.tree.lock, writer.who, writer.say):
        yield
        if writer.hand_over:
            writer.hand_over()
