# SPDX-License-Identifier: Apache-2.0
"""What a command has done to a working copy, into the object store.

In this order: what the repository is, if that is new; packages, indexes by hash and the new
generations, under names that nobody has read yet; the state, where nobody else has written it
meanwhile; the other files of the suites; InRelease, which is the switch for clients; the pages.
Whoever is killed before the state is written has changed nothing that counts, whoever is killed
after it leaves what the next command brings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.parallel import in_parallel
from hadeb.repo.disk import pool
from hadeb.repo.disk.layout import Tree
from hadeb.repo.s3.bucket import Reach
from hadeb.repo.s3.checkout import GRACE, WorkingCopy, pack
from hadeb.repo.s3.client import Absent, Changed, Listed, ObjectStore
from hadeb.repo.s3.state import STATE, Kept, State, read_state

_PROBE = ".hadeb/conditions"
_SWITCH = "InRelease"
_IDENTITY = "repository.json"
_TRIES = 20
# Seconds between a state and its switch that are worth a word in the next state.
_LATE = 60


class Overtaken(HadebError):
    """Somebody else has changed the repository since it was read; nothing of this is in force."""


@dataclass(frozen=True, slots=True)
class _Put:
    """An object that is to be written."""

    path: str
    content: Path | bytes


def hand_over(copy: WorkingCopy) -> None:
    """Bring the store to what the working copy has.

    Raises Overtaken where the command has to run again on what somebody else has left, HadebError
    where a name is taken by other bytes; clients see nothing of the change then.
    """
    tree, store = copy.tree, copy.store
    state, packs = _state(copy)
    leaving = _superfluous(copy, state) if copy.reach is Reach.ALL else []
    packages = _packages(copy)
    by_hash = [put for suite in state.generations for put in _by_hash(tree, suite)]
    _refuse_leaving(copy, [put.path for put in (*packages, *by_hash)])
    if copy.etag is None:
        _refuse_careless(store)
    state, etag = _introduced(copy, state)
    # Packages before the indexes that name them.
    missing = [put for put in by_hash if put.path not in copy.listing]
    for step in (packages, missing, packs):
        in_parallel(lambda put: _put_for_good(copy, put), step)
    if leaving:
        state = dataclasses.replace(state, leaving=tuple(leaving))
    if not _is_same(state, copy.state):
        state, etag = _commit(store, state, etag)
    try:
        _settle(copy, state, etag)
    except HadebError as error:
        raise HadebError(
            f"{error.message}; what changed is written down, and clients do not have it yet",
            hint="call the same again, and they have",
        ) from error
    if leaving:
        store.delete(leaving)
        _end_leaving(store, leaving)


def _introduced(copy: WorkingCopy, state: State) -> tuple[State, str | None]:
    """The state after it says what the repository is, where that is new, but not yet what is in it.

    The package of keys has the repository's own date in it: who is called again after a kill is
    to make the same bytes.
    """
    new, old = (each.files.get(_IDENTITY) for each in (state, copy.state))
    if new is None or new == old:
        return state, copy.etag
    early = dataclasses.replace(copy.state, files={**copy.state.files, _IDENTITY: new})
    early, etag = _commit(copy.store, early, copy.etag)
    return dataclasses.replace(state, serial=early.serial, token=early.token), etag


def _is_same(state: State, other: State) -> bool:
    return dataclasses.replace(state, serial=other.serial, token=other.token) == other


def finish_earlier(copy: WorkingCopy) -> list[str]:
    """Bring clients what a command left that was killed after the state; the suites it was for."""
    if copy.late:
        _settle(copy, copy.state, copy.etag)
    return sorted(copy.late)


def _state(copy: WorkingCopy) -> tuple[State, list[_Put]]:
    """The state as the working copy has it, and the generations that are new in it."""
    tree, packs = copy.tree, []
    generations: dict[str, dict[int, Kept]] = {}
    suites = sorted(path.name for path in tree.dists.glob("*") if path.is_symlink())
    for suite in suites:
        generations[suite] = {}
        for number in tree.numbers(suite):
            directory = tree.generation(suite, number)
            made = directory.stat().st_mtime
            kept = copy.state.generations.get(suite, {}).get(number)
            if kept is None:
                content = pack(directory)
                name = f"{number}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
                kept = Kept(f".hadeb/generations/{suite}/{name}", made)
                packs.append(_Put(kept.pack, content))
            elif made > kept.time + _LATE:
                kept = dataclasses.replace(kept, time=made)
            generations[suite][number] = kept
    files = {
        str(path.relative_to(tree.state)): path.read_text("utf-8", "surrogateescape")
        for path in sorted(tree.state.rglob("*"))
        if path.is_file()
        and path != tree.lock
        and not path.is_relative_to(tree.incoming)
        # Of a rollback that is killed the state tells, and not a mark.
        and path.suffix != tree.rollback_mark("", 0).suffix
    }
    return dataclasses.replace(copy.state, files=files, generations=generations), packs


def _packages(copy: WorkingCopy) -> list[_Put]:
    """The files that the command has put into the pool."""
    root = copy.tree.root
    files = [path for path in pool.paths(root) if not path.is_symlink()]
    return [_Put(str(path.relative_to(root)), path) for path in files]


def _by_hash(tree: Tree, suite: str) -> list[_Put]:
    return [put for put in _served(tree, suite) if "/by-hash/" in put.path]


def _served(tree: Tree, suite: str) -> list[_Put]:
    """All files of the generation in force, under the names that clients ask for."""
    directory = tree.generation(suite, tree.current(suite))
    return [
        _Put(f"dists/{suite}/{path.relative_to(directory)}", path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    ]


def _put_for_good(copy: WorkingCopy, put: _Put) -> None:
    """Write an object whose name belongs to its bytes; one with the same bytes is as good."""
    store = copy.store
    try:
        if put.path not in copy.listing:
            store.put(put.path, put.content, None)
            return
    except Changed:
        pass
    known = _digest(put.content)
    try:
        same = store.known_digest(put.path) == known
    except Absent as error:
        raise Overtaken(f"{put.path} was removed just now") from error
    if not same:
        raise HadebError(
            f"{put.path} is in {store.bucket} already with other bytes, and nothing was published: "
            "a changed package wants a new version",
            hint="where no list names it, hadeb prune removes it an hour after it was put there",
        )


def _digest(content: Path | bytes) -> str:
    return digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def _refuse_leaving(copy: WorkingCopy, paths: Iterable[str]) -> None:
    """HadebError where a prune is at work on what is wanted; what it wants is gone in a moment."""
    leaving = {*copy.state.leaving}
    if wanted := [path for path in paths if path in leaving]:
        raise Overtaken(
            f"{wanted[0]} is being removed from {copy.store.bucket} at this moment",
            hint="where that prune was killed, hadeb prune ends its work; then try again",
        )


def _refuse_careless(store: ObjectStore) -> None:
    """HadebError where a store pays no heed to conditions: two publishers would lose packages."""
    try:
        store.put(_PROBE, b"hadeb\n", None)
        store.put(_PROBE, b"hadeb\n", None)
    except Changed:
        return
    raise HadebError(
        f"{store.bucket} overwrites an object in spite of If-None-Match, so two who publish at "
        "once would lose each other's packages",
        hint="use a store that keeps conditional writes, or a newer release of this one",
    )


def _commit(store: ObjectStore, state: State, etag: str | None) -> tuple[State, str]:
    """Let the state be the next one after that with the tag; Overtaken where it is not the last."""
    state = dataclasses.replace(state, serial=state.serial + 1, token=uuid.uuid4().hex)
    content = state.write()
    try:
        return state, store.put(STATE, content, etag)[0]
    except Changed as error:
        # Where the answer to it was lost, boto3 has tried again what was done already.
        if (found := store.get(STATE)) and found[0] == content:
            return state, found[1]
        raise Overtaken(
            f"others change {store.bucket} again and again; nothing of this is in force",
            hint="try again when they are done",
        ) from error


def _end_leaving(store: ObjectStore, gone: Iterable[str]) -> None:
    """Say that a removal has ended, whoever has written the state since it began."""
    for _ in range(_TRIES):
        found = store.get(STATE)
        if found is None:
            return
        state = read_state(found[0], STATE)
        left = tuple(path for path in state.leaving if path not in set(gone))
        try:
            _commit(store, dataclasses.replace(state, leaving=left), found[1])
            return
        except Overtaken:
            continue


def _superfluous(copy: WorkingCopy, state: State) -> list[str]:
    """What a prune removes: what it took from the working copy, and what no generation needs."""
    gone = {path for path in copy.marked if not (copy.tree.root / path).is_symlink()}
    wanted = {put.path for suite in state.generations for put in _all_by_hash(copy.tree, suite)}
    wanted |= state.packs()
    old = time.time() - GRACE
    gone |= {
        path
        for path, each in copy.listing.items()
        if ("/by-hash/" in path or path.startswith(".hadeb/generations/"))
        and path not in wanted
        and each.time.timestamp() < old
    }
    return sorted({*gone, *copy.state.leaving})


def _all_by_hash(tree: Tree, suite: str) -> list[_Put]:
    """What clients may ask for by hash, who know any of the generations that are kept."""
    return [
        _Put(f"dists/{suite}/{path.relative_to(directory)}", path)
        for directory in (tree.generation(suite, number) for number in tree.numbers(suite))
        for path in directory.rglob("by-hash/*/*")
    ]


def _settle(copy: WorkingCopy, state: State, etag: str | None) -> None:
    """Let clients have what the state says; whoever comes after us brings what is newer."""
    tree, listing = copy.tree, copy.listing
    served = [put for suite in state.generations for put in _served(tree, suite)]
    pages = [_Put(path.name, path) for path in sorted(tree.root.glob("*")) if path.is_file()]
    plain = [put for put in served if "/by-hash/" not in put.path]
    steps = (
        [put for put in plain if not put.path.endswith(f"/{_SWITCH}")],
        [put for put in plain if put.path.endswith(f"/{_SWITCH}")],
        pages,
    )
    for _ in range(_TRIES):
        try:
            for step in steps:
                _put_changed(copy.store, [put for put in step if _differs(put, listing)], listing)
            return
        except Changed:
            found = copy.store.get(STATE)
            if found is None or found[1] != etag:
                return
            listing = copy.store.list()
    raise HadebError(
        f"{copy.store.bucket}: somebody else writes the files of the suites, and not by hadeb"
    )


def _put_changed(store: ObjectStore, puts: Iterable[_Put], listing: Mapping[str, Listed]) -> None:
    def one(put: _Put) -> None:
        before = listing.get(put.path)
        etag, now = store.put(put.path, put.content, before.etag if before else None)
        # A client asks whether InRelease has changed since the second that it knows.
        if before and put.path.endswith(f"/{_SWITCH}") and now < before.time.timestamp() + 1:
            time.sleep(1.1)
            store.put(put.path, put.content, etag)

    in_parallel(one, puts)


def _differs(put: _Put, listing: Mapping[str, Listed]) -> bool:
    """Whether an object has other bytes, or may have: not every store's tag is their MD5."""
    assert isinstance(put.content, Path)
    found = listing.get(put.path)
    known = hashlib.md5(put.content.read_bytes(), usedforsecurity=False).hexdigest()
    return found is None or found.etag.strip('"') != known
