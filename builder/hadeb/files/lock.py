# SPDX-License-Identifier: Apache-2.0
"""One writer at a time: a lock that says who holds it, and ends with whoever held it.

The kernel's lock, not the file, is what holds: a killed process leaves words behind, never a
lock. It holds over NFS, too, as flock of Linux does since 2.6.12.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeb.errors import HadebError

# Seconds between two looks at a lock that another process holds, and until we give up.
_LOOKS_EVERY = 0.05
_PATIENCE = 600.0


@contextmanager
def locked(
    path: Path, who: str, say: Callable[[str], None], patience: float = _PATIENCE
) -> Iterator[None]:
    """Hold the lock, after waiting for whoever has it; HadebError after `patience` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        _wait(descriptor, path, say, time.monotonic() + patience)
        _write(descriptor, f"{who}\n")
        try:
            yield
        finally:
            _write(descriptor, "")
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, say: Callable[[str], None], deadline: float) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "somebody"
            if time.monotonic() > deadline:
                raise HadebError(
                    f"{holder} holds {path}", hint="wait for its end, or end it; then try again"
                ) from None
            if not told:
                say(f"waiting for {holder}, who changes the repository")
                told = True
            time.sleep(_LOOKS_EVERY)
        else:
            return


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(errors="replace"), 0)
