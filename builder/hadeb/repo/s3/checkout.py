# SPDX-License-Identifier: Apache-2.0
"""A repository of an object store as a directory, for as long as a command works on it.

All commands know repositories on disk. This lays one out that has what they read: what
`.hadeb` holds, the generations they look into, and for each file of the pool a stand-in, which
has its size and its hash. No package is downloaded.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.files.scratch import scratch_directory
from hadeb.parallel import in_parallel
from hadeb.repo.disk import ownership, pool
from hadeb.repo.disk.generation import load_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.contents import PoolFile
from hadeb.repo.s3.bucket import Bucket, Reach
from hadeb.repo.s3.client import Listed, ObjectStore, connected
from hadeb.repo.s3.state import STATE, State, read_state
from hadeb.repo.session.settings import find_repository

# Seconds that what no list names stays in the store: whoever put it there may be about to name it.
GRACE = 3600
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A repository's directory, and what was in the store when it was made.

    `etag` is that of the state, None where there is none yet. `marked` are the paths that have a
    stand-in, `late` the suites whose clients do not have yet what is in force, `amiss` sentences on
    what they do not get as it was published.
    """

    tree: Tree
    store: ObjectStore
    state: State
    etag: str | None
    listing: Mapping[str, Listed]
    marked: frozenset[str]
    reach: Reach
    late: frozenset[str] = frozenset()
    amiss: tuple[str, ...] = ()


@contextmanager
def working_copy(bucket: Bucket, reach: Reach) -> Iterator[WorkingCopy]:
    """Lay a repository out; gone with the block. Errors in the block name the bucket, not it."""
    store = connected(bucket)
    with scratch_directory("bucket") as place:
        # A repository that has no name yet is called as its directory is.
        root = place / "copy" / bucket.last
        root.mkdir(parents=True)
        try:
            yield _laid_out(Tree(root), store, reach)
        except HadebError as error:
            error.message = error.message.replace(str(root), str(bucket))
            error.hint = error.hint and error.hint.replace(str(root), str(bucket))
            raise


def _laid_out(tree: Tree, store: ObjectStore, reach: Reach) -> WorkingCopy:
    # The state first: what it names is in a listing that is made afterwards.
    found = store.get(STATE)
    listing = store.list()
    state, etag = State(), None
    if found is not None:
        state, etag = read_state(found[0], f"{store.bucket}/{STATE}"), found[1]
    elif foreign := next((path for path in listing if path.endswith("/InRelease")), None):
        raise HadebError(
            f"{store.bucket} has {foreign}, and no {STATE}: hadeb did not put it there",
            hint="name a prefix that is empty; a directory goes there by publishing its packages",
        )
    for path, text in state.files.items():
        file = tree.state / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
    _lay_out_generations(tree, store, state, listing, reach)
    late = frozenset[str]()
    amiss: tuple[str, ...] = ()
    if reach is Reach.BYTES:
        amiss = tuple(_amiss(tree, store, state, listing))
    else:
        late = frozenset(each for each in state.generations if _is_late(tree, store, listing, each))
    _set_times(tree, state, listing, late)
    marked = _marked(tree, store, listing, reach)
    return WorkingCopy(tree, store, state, etag, listing, marked, reach, late, amiss)


def _is_late(tree: Tree, store: ObjectStore, listing: Mapping[str, Listed], suite: str) -> bool:
    """Whether InRelease is still that of an earlier generation."""
    path, made = _switch(suite), tree.generation(suite, tree.current(suite)) / "InRelease"
    if path not in listing:
        return True
    tag = hashlib.md5(made.read_bytes(), usedforsecurity=False).hexdigest()
    # Not every store's tag says what the bytes are.
    return listing[path].etag.strip('"') != tag and store.known_digest(path) != digest(made)


def _set_times(
    tree: Tree, state: State, listing: Mapping[str, Listed], late: frozenset[str]
) -> None:
    """Let a generation be as old as its switch is: until then clients had the one before it."""
    for suite, numbers in state.generations.items():
        for number, kept in numbers.items():
            since = kept.time
            if number == max(numbers):
                switched = listing.get(_switch(suite))
                served = (
                    switched.time.timestamp() if switched and suite not in late else time.time()
                )
                since = max(since, served)
            os.utime(tree.generation(suite, number), (since, since))


def _switch(suite: str) -> str:
    return f"dists/{suite}/InRelease"


def _lay_out_generations(
    tree: Tree, store: ObjectStore, state: State, listing: Mapping[str, Listed], reach: Reach
) -> None:
    wanted: dict[Path, str] = {}
    served: dict[str, Path] = {}
    for suite, numbers in state.generations.items():
        tree.make(suite)
        current = max(numbers)
        tree.switch(suite, current)
        for number, kept in numbers.items():
            directory = tree.generation(suite, number)
            directory.mkdir()
            # Of the one in force, what clients get is looked at in its place.
            if (reach is not Reach.NOW or number == current) and not (
                reach is Reach.BYTES and number == current
            ):
                wanted[directory] = kept.pack
        if reach is Reach.BYTES:
            served |= _served(listing, f"dists/{suite}/", tree.generation(suite, current))
    if reach is Reach.BYTES:
        pages = (path for path in listing if "/" not in path)
        served |= {path: tree.root / path for path in pages}
    in_parallel(lambda path: _download(store, path, served[path]), served)
    in_parallel(lambda directory: _unpack(store, wanted[directory], directory), wanted)


def _served(listing: Mapping[str, Listed], suite: str, directory: Path) -> dict[str, Path]:
    """Where the files of a suite go that clients get, without those by hash."""
    return {
        path: directory / path.removeprefix(suite)
        for path in listing
        if path.startswith(suite) and "/by-hash/" not in path
    }


def _amiss(
    tree: Tree, store: ObjectStore, state: State, listing: Mapping[str, Listed]
) -> Iterator[str]:
    """How what is served differs from the generations in force, and which index is gone by hash."""
    for suite, numbers in state.generations.items():
        number = max(numbers)
        with scratch_directory("bucket") as made:
            _unpack(store, numbers[number].pack, made)
            for path in sorted(path.relative_to(made) for path in made.rglob("*")):
                place = f"dists/{suite}/{path}"
                served = tree.generation(suite, number) / path
                if "by-hash" not in path.parts and (made / path).is_file():
                    if not served.is_file() or served.read_bytes() != (made / path).read_bytes():
                        yield (
                            f"{place} is not that of generation {number}; the next command that "
                            "changes the repository brings it"
                        )
                elif (made / path).is_file() and place not in listing:
                    yield f"{place} is gone"


def _download(store: ObjectStore, path: str, file: Path) -> None:
    if (found := store.get(path)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found[0])


def _unpack(store: ObjectStore, pack: str, directory: Path) -> None:
    found = store.get(pack)
    if found is None:
        raise HadebError(
            f"{store.bucket}/{pack} is gone, which holds a generation",
            hint="put it back from an older version of the object",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(found[0])) as archive:
            archive.extractall(directory)
    except zipfile.BadZipFile as error:
        raise HadebError(f"{store.bucket}/{pack} is damaged: {error}") from error
    _link_by_hash(directory)


def _link_by_hash(directory: Path) -> None:
    for index in [path for path in directory.rglob("*.gz") if path.parent != directory]:
        by_hash = index.parent / "by-hash" / "SHA256"
        by_hash.mkdir(parents=True)
        (by_hash / digest(index)).hardlink_to(index)


def pack(directory: Path) -> bytes:
    """A generation's files in one object, without those by hash: they follow from the rest."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory)
            if path.is_file() and "by-hash" not in name.parts:
                archive.write(path, name)
    return written.getvalue()


def _marked(
    tree: Tree, store: ObjectStore, listing: Mapping[str, Listed], reach: Reach
) -> frozenset[str]:
    """Put stand-ins for what the pool has; the paths of those."""
    known = {file.path: file for file in _named(tree, reach)}
    marks = {
        path: (listing[path].size, file.sha256) for path, file in known.items() if path in listing
    }
    if reach is Reach.ALL:
        old = time.time() - GRACE
        marks |= {
            path: (each.size, _UNKNOWN)
            for path, each in listing.items()
            if path.startswith("pool/") and path not in known and each.time.timestamp() < old
        }
        # Below a prefix all is hadeb's; what a killed command has put there is noted nowhere.
        ownership.note(tree, set(marks) - set(known))
    if reach is Reach.BYTES:
        marks |= _read(store, marks)
    for path, (size, sha256) in marks.items():
        pool.stand_in(tree.root / path, size, sha256, tree.root.parent)
    return frozenset(marks)


def _named(tree: Tree, reach: Reach) -> Iterator[PoolFile]:
    """The files that the generations name which are laid out, some of them more than once."""
    repository = find_repository(tree)
    for suite in repository.suites if repository else ():
        current = tree.current(suite.name)
        numbers: Iterable[int] = (current,) if current else ()
        if reach in {Reach.PAST, Reach.ALL}:
            numbers = tree.numbers(suite.name)
        for number in numbers:
            try:
                contents = load_contents(tree.generation(suite.name, number), suite)
            except HadebError:
                # The command says so itself, where it matters to it.
                continue
            yield from (file for one in contents.packages for file in one.files)


def _read(store: ObjectStore, marks: Mapping[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """The same with the hashes that the bytes have."""
    found: dict[str, tuple[int, str]] = {}

    def one(path: str) -> None:
        found[path] = (marks[path][0], store.digest(path))

    in_parallel(one, marks)
    return found
