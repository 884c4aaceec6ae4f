# SPDX-License-Identifier: Apache-2.0
"""Locks on files and directories (flock(2)).

The kernel holds the lock, not the file: it ends with the last process that has the descriptor, so
a killed process leaves no lock behind. It also holds over NFS, as Linux's flock does since 2.6.12.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.interrupt import cleanup

# Seconds between two attempts at a lock that another process holds, and until hadeb gives up.
_INTERVAL = 0.05
_PATIENCE = 600.0


def acquire(path: Path) -> int:
    """Wait for the lock on a file, which is made if it is missing.

    The lock is held until the descriptor is closed, here and in every process that inherits it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def acquire_directory(directory: Path) -> int:
    """The same for a directory, which must exist; OSError if its file system has no locks."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def try_directory(directory: Path) -> int | None:
    """The lock on a directory if nobody holds it, else None."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if _try(descriptor):
        return descriptor
    os.close(descriptor)
    return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock on a file, and hold it."""
    descriptor = acquire(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Wait for the lock on a directory, and hold it."""
    descriptor = acquire_directory(directory)
    try:
        yield
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock on a file; a file that does not exist is free."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return _try(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked_by(
    path: Path, who: str, info: Callable[[str], None], patience: float = _PATIENCE
) -> Iterator[None]:
    """Hold the lock on a file that names its holder.

    Reports the holder once through `info`. Raises HadebError after `patience` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        _wait(descriptor, path, info, time.monotonic() + patience)
        with cleanup(partial(_write, descriptor, "")):
            _write(descriptor, f"{who}\n")
            yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, info: Callable[[str], None], deadline: float) -> None:
    reported = False
    while not _try(descriptor):
        holder = os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "somebody"
        if time.monotonic() > deadline:
            raise HadebError(
                f"{holder} holds {path}", hint="wait until it ends, or end it; then try again"
            )
        if not reported:
            info(f"waiting for {holder}, who changes the repository")
            reported = True
        time.sleep(_INTERVAL)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(errors="replace"), 0)
