# SPDX-License-Identifier: Apache-2.0
"""The session of a command that changes a repository: its keys, its user, and the lock."""

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
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.signing.keychain import Keychain


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes a repository, with which keys, and how messages reach them. `now` is in UTC.

    `info` may be silent if the user asked for few messages; `warning` never is. If the tree is a
    checkout, `push` uploads the change, and `differences` are what was wrong in the object store.
    """

    tree: Tree
    keychain: Keychain
    who: str
    now: datetime.datetime
    info: Callable[[str], None]
    warning: Callable[[str], None]
    push: Callable[[], None] | None = None
    differences: tuple[str, ...] = ()


@contextmanager
def writing(writer: Writer, *, new: bool = False, dry_run: bool = False) -> Iterator[Writer]:
    """Hold the repository's lock; yields a Writer whose `now` includes the time spent waiting.

    With `new`, the directory is created. With `dry_run`, nothing changes and the lock is not taken.
    """
    tree = writer.tree
    if dry_run:
        yield writer
        return
    with _public_umask():
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
            if writer.push:
                writer.push()


@contextmanager
def _public_umask() -> Iterator[None]:
    """Let a web server read what is written and nobody else write it, whatever the umask(2)."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
