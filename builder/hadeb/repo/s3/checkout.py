# SPDX-License-Identifier: Apache-2.0
"""Check out a repository from an object store into a scratch directory.

Every command works on a repository on disk. A checkout has what commands read: the contents of
`.hadeb`, the generations they need, and a placeholder for each file of the pool.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.digest import digest
from hadeb.files.scratch import scratch_directory
from hadeb.parallel import in_parallel
from hadeb.repo.disk.layout import Tree
from hadeb.repo.s3.bucket import Bucket, Reach
from hadeb.repo.s3.client import ObjectInfo, ObjectStore, connected
from hadeb.repo.s3.pack import unpack
from hadeb.repo.s3.pool_placeholders import put_placeholders
from hadeb.repo.s3.state import STATE, State, read_state


@dataclass(frozen=True, slots=True)
class Checkout:
    """A repository's directory, and what was in the store when it was checked out.

    `etag` is the state's entity tag, None if there is no state yet. `placeholders` are the paths
    that have one. `pending_suites` are those whose clients do not see the current generation yet.
    `differences` are sentences about what clients get that is not as published.
    """

    tree: Tree
    store: ObjectStore
    state: State
    etag: str | None
    listing: Mapping[str, ObjectInfo]
    placeholders: frozenset[str]
    reach: Reach
    pending_suites: frozenset[str] = frozenset()
    differences: tuple[str, ...] = ()


@contextmanager
def checkout(bucket: Bucket, reach: Reach) -> Iterator[Checkout]:
    """Check out a repository for the duration of a block.

    Errors that the block raises name the bucket in place of the scratch directory.
    """
    store = connected(bucket)
    with scratch_directory("bucket") as place:
        # A repository without a name is named after its directory.
        root = place / "copy" / bucket.last
        root.mkdir(parents=True)
        try:
            yield _check_out(Tree(root), store, reach)
        except HadebError as error:
            error.message = error.message.replace(str(root), str(bucket))
            error.hint = error.hint and error.hint.replace(str(root), str(bucket))
            raise


def _check_out(tree: Tree, store: ObjectStore, reach: Reach) -> Checkout:
    # Read the state before the listing: then the listing has everything that the state names.
    stored = store.get(STATE)
    listing = store.list()
    state, etag = State(), None
    if stored is not None:
        state, etag = read_state(stored[0], f"{store.bucket}/{STATE}"), stored[1]
    elif foreign := next((path for path in listing if path.endswith("/InRelease")), None):
        raise HadebError(
            f"{store.bucket} has {foreign} but no {STATE}: hadeb did not put it there",
            hint="name an empty prefix; to move a directory there, publish its packages",
        )
    for path, text in state.files.items():
        file = tree.state / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
    _write_generations(tree, store, state, listing, reach)
    pending = frozenset[str]()
    differences: tuple[str, ...] = ()
    if reach is Reach.BYTES:
        differences = tuple(_differences(tree, store, state, listing))
    else:
        pending = frozenset(
            suite for suite in state.generations if _is_pending(tree, store, listing, suite)
        )
    _set_times(tree, state, listing, pending)
    placeholders = put_placeholders(tree, store, listing, reach)
    return Checkout(tree, store, state, etag, listing, placeholders, reach, pending, differences)


def _is_pending(
    tree: Tree, store: ObjectStore, listing: Mapping[str, ObjectInfo], suite: str
) -> bool:
    """Whether clients still get the InRelease of an earlier generation."""
    path, made = _switch(suite), tree.generation(suite, tree.current(suite)) / "InRelease"
    if path not in listing:
        return True
    md5 = hashlib.md5(made.read_bytes(), usedforsecurity=False).hexdigest()
    # Not every store's entity tag is the MD5 of the bytes.
    return listing[path].etag.strip('"') != md5 and store.known_digest(path) != digest(made)


def _set_times(
    tree: Tree, state: State, listing: Mapping[str, ObjectInfo], pending: frozenset[str]
) -> None:
    """Date each generation by its switch: until then clients got the one before it."""
    for suite, numbers in state.generations.items():
        for number, stored in numbers.items():
            since = stored.time
            if number == max(numbers):
                switch = listing.get(_switch(suite))
                served = switch.time.timestamp() if switch and suite not in pending else time.time()
                since = max(since, served)
            os.utime(tree.generation(suite, number), (since, since))


def _switch(suite: str) -> str:
    return f"dists/{suite}/InRelease"


def _write_generations(
    tree: Tree, store: ObjectStore, state: State, listing: Mapping[str, ObjectInfo], reach: Reach
) -> None:
    packs: dict[Path, str] = {}
    downloads: dict[str, Path] = {}
    for suite, numbers in state.generations.items():
        tree.make(suite)
        current = max(numbers)
        tree.switch(suite, current)
        for number, stored in numbers.items():
            directory = tree.generation(suite, number)
            directory.mkdir()
            # With Reach.BYTES the current generation is what clients get, not what was packed.
            if (reach is not Reach.NOW or number == current) and not (
                reach is Reach.BYTES and number == current
            ):
                packs[directory] = stored.pack
        if reach is Reach.BYTES:
            directory = tree.generation(suite, current)
            downloads |= _public_files(listing, f"dists/{suite}/", directory)
    if reach is Reach.BYTES:
        pages = (path for path in listing if "/" not in path)
        downloads |= {path: tree.root / path for path in pages}
    in_parallel(lambda path: _download(store, path, downloads[path]), downloads)
    in_parallel(lambda directory: unpack(store, packs[directory], directory), packs)


def _public_files(
    listing: Mapping[str, ObjectInfo], suite: str, directory: Path
) -> dict[str, Path]:
    """The objects of a suite that clients get, without by-hash, and where each is to go."""
    return {
        path: directory / path.removeprefix(suite)
        for path in listing
        if path.startswith(suite) and "/by-hash/" not in path
    }


def _differences(
    tree: Tree, store: ObjectStore, state: State, listing: Mapping[str, ObjectInfo]
) -> Iterator[str]:
    """How clients' files differ from the current generations, and which by-hash index is gone."""
    for suite, numbers in state.generations.items():
        number = max(numbers)
        with scratch_directory("bucket") as made:
            unpack(store, numbers[number].pack, made)
            for path in sorted(path.relative_to(made) for path in made.rglob("*")):
                place = f"dists/{suite}/{path}"
                served = tree.generation(suite, number) / path
                if "by-hash" not in path.parts and (made / path).is_file():
                    if not served.is_file() or served.read_bytes() != (made / path).read_bytes():
                        yield (
                            f"{place} is not that of generation {number}; the next command that "
                            "changes the repository restores it"
                        )
                elif (made / path).is_file() and place not in listing:
                    yield f"{place} is gone"


def _download(store: ObjectStore, path: str, file: Path) -> None:
    if (stored := store.get(path)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(stored[0])
