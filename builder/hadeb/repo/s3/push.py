# SPDX-License-Identifier: Apache-2.0
"""Push what a command changed in a checkout to the object store.

The order is: the repository's identity, if it is new; packages, by-hash indexes and new
generations, under names that nobody has read yet; the state, if nobody else has written it in the
meantime; the other files of the suites; InRelease, which is the switch for clients; the pages. A
command that is killed before it writes the state has changed nothing that counts. If it is killed
later, the next command completes the change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time

from hadeb.errors import HadebError
from hadeb.parallel import in_parallel
from hadeb.repo.disk import pool
from hadeb.repo.s3.bucket import Reach
from hadeb.repo.s3.checkout import Checkout
from hadeb.repo.s3.client import PendingObject
from hadeb.repo.s3.conflict import (
    commit_state,
    finish_removal,
    put_immutable,
    refuse_paths_being_removed,
    require_conditional_writes,
)
from hadeb.repo.s3.pack import pack
from hadeb.repo.s3.pool_placeholders import GRACE
from hadeb.repo.s3.public_files import (
    all_by_hash_objects,
    by_hash_objects,
    update_public_files,
)
from hadeb.repo.s3.state import State, StoredGeneration

_IDENTITY = "repository.json"
# Seconds between a state and its switch from which the next state records the switch's time.
_LATE = 60


def push(checkout: Checkout) -> None:
    """Bring the store to what the checkout holds.

    Raises Overtaken if the command has to run again on what another publisher wrote, HadebError
    if a name is taken by other bytes. In both cases clients see nothing of the change.
    """
    store = checkout.store
    state, packs = _state(checkout)
    leaving = _superfluous(checkout, state) if checkout.reach is Reach.ALL else []
    packages = _new_packages(checkout)
    by_hash = [
        pending for suite in state.generations for pending in by_hash_objects(checkout.tree, suite)
    ]
    refuse_paths_being_removed(checkout, [pending.path for pending in (*packages, *by_hash)])
    if checkout.etag is None:
        require_conditional_writes(store)
    state, etag = _with_identity(checkout, state)
    missing = [pending for pending in by_hash if pending.path not in checkout.listing]
    # Packages go before the indexes that name them.
    for step in (packages, missing, packs):
        in_parallel(lambda pending: put_immutable(checkout, pending), step)
    if leaving:
        state = dataclasses.replace(state, leaving=tuple(leaving))
    if not _is_same(state, checkout.state):
        state, etag = commit_state(store, state, etag)
    try:
        update_public_files(checkout, state, etag)
    except HadebError as error:
        raise HadebError(
            f"{error.message}; the change is recorded, but clients do not have it yet",
            hint="run the same command again to complete it",
        ) from error
    if leaving:
        store.delete(leaving)
        finish_removal(store, leaving)


def finish_interrupted(checkout: Checkout) -> list[str]:
    """Complete a push that was killed after it wrote the state; returns the suites it changed."""
    if checkout.pending_suites:
        update_public_files(checkout, checkout.state, checkout.etag)
    return sorted(checkout.pending_suites)


def _with_identity(checkout: Checkout, state: State) -> tuple[State, str | None]:
    """Record what the repository is before its contents, if that is new.

    The keyring package holds the repository's date. If this command is killed and repeated, it has
    to make the same bytes.
    """
    new, old = (each.files.get(_IDENTITY) for each in (state, checkout.state))
    if new is None or new == old:
        return state, checkout.etag
    early = dataclasses.replace(checkout.state, files={**checkout.state.files, _IDENTITY: new})
    early, etag = commit_state(checkout.store, early, checkout.etag)
    return dataclasses.replace(state, serial=early.serial, token=early.token), etag


def _is_same(state: State, other: State) -> bool:
    return dataclasses.replace(state, serial=other.serial, token=other.token) == other


def _state(checkout: Checkout) -> tuple[State, list[PendingObject]]:
    """The state that the checkout describes, and its generations that are not in the store yet."""
    tree, packs = checkout.tree, []
    generations: dict[str, dict[int, StoredGeneration]] = {}
    for suite in sorted(path.name for path in tree.dists.glob("*") if path.is_symlink()):
        generations[suite] = {}
        for number in tree.numbers(suite):
            directory = tree.generation(suite, number)
            made = directory.stat().st_mtime
            stored = checkout.state.generations.get(suite, {}).get(number)
            if stored is None:
                content = pack(directory)
                name = f"{number}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
                stored = StoredGeneration(f".hadeb/generations/{suite}/{name}", made)
                packs.append(PendingObject(stored.pack, content))
            elif made > stored.time + _LATE:
                stored = dataclasses.replace(stored, time=made)
            generations[suite][number] = stored
    files = {
        str(path.relative_to(tree.state)): path.read_text("utf-8", "surrogateescape")
        for path in sorted(tree.state.rglob("*"))
        if path.is_file()
        and path != tree.lock
        and not path.is_relative_to(tree.incoming)
        # In a store, the state and not a mark tells that a rollback was killed.
        and path.suffix != tree.rollback_mark("", 0).suffix
    }
    return dataclasses.replace(checkout.state, files=files, generations=generations), packs


def _new_packages(checkout: Checkout) -> list[PendingObject]:
    """The files that the command added to the pool: all that are not placeholders."""
    root = checkout.tree.root
    files = [path for path in pool.paths(root) if not path.is_symlink()]
    return [PendingObject(str(path.relative_to(root)), path) for path in files]


def _superfluous(checkout: Checkout, state: State) -> list[str]:
    """What a prune removes: what it deleted from the checkout, and what no generation needs."""
    tree = checkout.tree
    gone = {path for path in checkout.placeholders if not (tree.root / path).is_symlink()}
    wanted = {
        pending.path for suite in state.generations for pending in all_by_hash_objects(tree, suite)
    }
    wanted |= state.packs()
    old = time.time() - GRACE
    gone |= {
        path
        for path, info in checkout.listing.items()
        if ("/by-hash/" in path or path.startswith(".hadeb/generations/"))
        and path not in wanted
        and info.time.timestamp() < old
    }
    return sorted({*gone, *checkout.state.leaving})
