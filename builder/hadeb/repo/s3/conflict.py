# SPDX-License-Identifier: Apache-2.0
"""Two publishers on one bucket: conditional writes decide which one wins.

`Overtaken` tells the loser to run again on what the winner wrote.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.repo.s3.checkout import Checkout
from hadeb.repo.s3.client import NotFound, ObjectStore, PendingObject, PreconditionFailed
from hadeb.repo.s3.state import STATE, State, read_state

_PROBE = ".hadeb/conditions"
ATTEMPTS = 20


class Overtaken(HadebError):
    """Another publisher changed the repository since it was read; this change is not in force."""


def put_immutable(checkout: Checkout, pending: PendingObject) -> None:
    """Write an object that never changes; an existing object with the same bytes will do.

    Raises HadebError if the object exists with other bytes, Overtaken if it was just removed.
    """
    store = checkout.store
    try:
        if pending.path not in checkout.listing:
            store.put(pending.path, pending.content, None)
            return
    except PreconditionFailed:
        pass
    try:
        same = store.known_digest(pending.path) == _digest(pending.content)
    except NotFound as error:
        raise Overtaken(f"{pending.path} was just removed") from error
    if not same:
        raise HadebError(
            f"{pending.path} is already in {store.bucket} with other bytes, so nothing was "
            "published: a changed package needs a new version",
            hint="if no list names it, hadeb prune removes it an hour after it was uploaded",
        )


def _digest(content: Path | bytes) -> str:
    return digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def refuse_paths_being_removed(checkout: Checkout, paths: Iterable[str]) -> None:
    """Raise Overtaken if a prune is removing one of these paths."""
    leaving = {*checkout.state.leaving}
    if wanted := [path for path in paths if path in leaving]:
        raise Overtaken(
            f"{wanted[0]} is being removed from {checkout.store.bucket} right now",
            hint="if that prune was killed, run hadeb prune to finish it; then try again",
        )


def require_conditional_writes(store: ObjectStore) -> None:
    """Raise HadebError if the store ignores conditions: two publishers would lose packages."""
    try:
        store.put(_PROBE, b"hadeb\n", None)
        store.put(_PROBE, b"hadeb\n", None)
    except PreconditionFailed:
        return
    raise HadebError(
        f"{store.bucket} overwrites an object in spite of If-None-Match, so two simultaneous "
        "publishers would lose each other's packages",
        hint="use a store that honors conditional writes, or a newer release of this one",
    )


def commit_state(store: ObjectStore, state: State, etag: str | None) -> tuple[State, str]:
    """Write the state in place of the one with this entity tag.

    Returns the state as written and its entity tag. Raises Overtaken if another publisher wrote
    the state in the meantime.
    """
    state = dataclasses.replace(state, serial=state.serial + 1, token=uuid.uuid4().hex)
    content = state.write()
    try:
        return state, store.put(STATE, content, etag)[0]
    except PreconditionFailed as error:
        # boto3 repeats a request whose answer was lost, and the first one may have succeeded.
        if (stored := store.get(STATE)) and stored[0] == content:
            return state, stored[1]
        raise Overtaken(
            f"others keep changing {store.bucket}; nothing of this change is in force",
            hint="try again when they are done",
        ) from error


def finish_removal(store: ObjectStore, removed: Iterable[str]) -> None:
    """Take removed paths out of the state, even if others wrote the state since."""
    gone = set(removed)
    for _ in range(ATTEMPTS):
        stored = store.get(STATE)
        if stored is None:
            return
        state = read_state(stored[0], STATE)
        left = tuple(path for path in state.leaving if path not in gone)
        try:
            commit_state(store, dataclasses.replace(state, leaving=left), stored[1])
            return
        except Overtaken:
            continue
