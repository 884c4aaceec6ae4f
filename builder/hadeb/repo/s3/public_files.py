# SPDX-License-Identifier: Apache-2.0
"""The objects that clients read: the files of each suite, and the pages.

InRelease is the switch: once it is written, clients see the new generation.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.parallel import in_parallel
from hadeb.repo.disk.layout import Tree
from hadeb.repo.s3.checkout import Checkout
from hadeb.repo.s3.client import ObjectInfo, ObjectStore, PendingObject, PreconditionFailed
from hadeb.repo.s3.conflict import ATTEMPTS
from hadeb.repo.s3.state import STATE, State

_SWITCH = "InRelease"


def by_hash_objects(tree: Tree, suite: str) -> list[PendingObject]:
    """The by-hash indexes of the current generation."""
    return [pending for pending in _suite_objects(tree, suite) if "/by-hash/" in pending.path]


def all_by_hash_objects(tree: Tree, suite: str) -> list[PendingObject]:
    """The by-hash indexes of every generation that is still there."""
    return [
        PendingObject(f"dists/{suite}/{path.relative_to(directory)}", path)
        for directory in (tree.generation(suite, number) for number in tree.numbers(suite))
        for path in directory.rglob("by-hash/*/*")
    ]


def _suite_objects(tree: Tree, suite: str) -> list[PendingObject]:
    """All files of the current generation, under the paths that clients request."""
    directory = tree.generation(suite, tree.current(suite))
    return [
        PendingObject(f"dists/{suite}/{path.relative_to(directory)}", path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    ]


def update_public_files(checkout: Checkout, state: State, etag: str | None) -> None:
    """Bring the objects that clients read to what the state with this entity tag says.

    Does nothing more once another publisher has written a newer state: that one does the work.
    """
    tree, listing = checkout.tree, checkout.listing
    suites = [pending for suite in state.generations for pending in _suite_objects(tree, suite)]
    pages = [
        PendingObject(path.name, path) for path in sorted(tree.root.glob("*")) if path.is_file()
    ]
    mutable = [pending for pending in suites if "/by-hash/" not in pending.path]
    steps = (
        [pending for pending in mutable if not _is_switch(pending)],
        [pending for pending in mutable if _is_switch(pending)],
        pages,
    )
    for _ in range(ATTEMPTS):
        try:
            for step in steps:
                changed = [pending for pending in step if _differs(pending, listing)]
                _put_changed(checkout.store, changed, listing)
            return
        except PreconditionFailed:
            stored = checkout.store.get(STATE)
            if stored is None or stored[1] != etag:
                return
            listing = checkout.store.list()
    raise HadebError(
        f"{checkout.store.bucket}: another program than hadeb writes the files of the suites"
    )


def _is_switch(pending: PendingObject) -> bool:
    return pending.path.endswith(f"/{_SWITCH}")


def _put_changed(
    store: ObjectStore, changed: Iterable[PendingObject], listing: Mapping[str, ObjectInfo]
) -> None:
    def put(pending: PendingObject) -> None:
        before = listing.get(pending.path)
        etag, now = store.put(pending.path, pending.content, before.etag if before else None)
        # A client asks whether InRelease changed after the second that it last saw.
        if before and _is_switch(pending) and now < before.time.timestamp() + 1:
            time.sleep(1.1)
            store.put(pending.path, pending.content, etag)

    in_parallel(put, changed)


def _differs(pending: PendingObject, listing: Mapping[str, ObjectInfo]) -> bool:
    """Whether an object has other bytes, or may have: not every entity tag is the MD5."""
    assert isinstance(pending.content, Path)
    stored = listing.get(pending.path)
    md5 = hashlib.md5(pending.content.read_bytes(), usedforsecurity=False).hexdigest()
    return stored is None or stored.etag.strip('"') != md5
