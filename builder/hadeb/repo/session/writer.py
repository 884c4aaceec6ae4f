# SPDX-License-Identifier: Apache-2.0
"""Whoever changes a repository: with what keys, under what name, one at a time."""

from __future__ import annotations

import dataclasses
import datetime
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hadeb.files import atomic
from hadeb.files.lock import locked_by
from hadeb.files.scratch import sweep
from hadeb.repo.disk.layout import Tree
from hadeb.repo.session.settings import open_repository
from hadeb.repo.signing import gpg


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes a repository, with whose keys, and how they hear of it. `now` is in UTC.

    `info` is silent under --quiet, `warning` never is. Where the tree is a copy of
    the repository, `hand_over` brings a change to the repository, and `amiss` says what was found
    wrong with it while it was copied.
    """

    tree: Tree
    keychain: gpg.Keychain
    who: str
    now: datetime.datetime
    info: Callable[[str], None]
    warning: Callable[[str], None]
    hand_over: Callable[[], None] | None = None
    amiss: tuple[str, ...] = ()


@contextmanager
def writing(writer: Writer, *, new: bool = False, dry_run: bool = False) -> Iterator[Writer]:
    """Be the one who changes the repository, after whoever is; a Writer whose time has gone on.

    A `new` one has its directory made. A `dry_run` changes nothing, and waits for nobody.
    """
    tree = writer.tree
    if dry_run:
        yield writer
        return
    with _readable():
        if new:
            atomic.make_directory(tree.root)
            atomic.make_directory(tree.state, 0o770)
        elif not tree.state.is_dir():
            open_repository(tree)
        sweep()
        asked = time.monotonic()
        with locked_by(tree.lock, writer.who, writer.info):
            waited = datetime.timedelta(seconds=time.monotonic() - asked)
            yield dataclasses.replace(writer, now=writer.now + waited)
            if writer.hand_over:
                writer.hand_over()


@contextmanager
def _readable() -> Iterator[None]:
    """Let a web server read what is written, and nobody else write, whatever umask(2) we have."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
