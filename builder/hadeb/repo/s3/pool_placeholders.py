# SPDX-License-Identifier: Apache-2.0
"""The pool of a checkout: a placeholder with the size and the SHA256 of each package.

No package is downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from hadeb.errors import HadebError
from hadeb.parallel import in_parallel
from hadeb.repo.disk import ownership, pool
from hadeb.repo.disk.generation import load_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import find_repository
from hadeb.repo.model.contents import PoolFile
from hadeb.repo.s3.bucket import Reach
from hadeb.repo.s3.client import ObjectInfo, ObjectStore

# Seconds that an object which no list names stays: its publisher may be about to name it.
GRACE = 3600
_UNKNOWN = "unknown"


def put_placeholders(
    tree: Tree, store: ObjectStore, listing: Mapping[str, ObjectInfo], reach: Reach
) -> frozenset[str]:
    """Create the placeholders; returns their paths."""
    known = {file.path: file for file in _listed_files(tree, reach)}
    files = {
        path: (listing[path].size, file.sha256) for path, file in known.items() if path in listing
    }
    if reach is Reach.ALL:
        old = time.time() - GRACE
        files |= {
            path: (info.size, _UNKNOWN)
            for path, info in listing.items()
            if path.startswith("pool/") and path not in known and info.time.timestamp() < old
        }
        # Everything below the prefix is hadeb's; no record tells what a killed command uploaded.
        ownership.add(tree, set(files) - set(known))
    if reach is Reach.BYTES:
        files |= _with_actual_digests(store, files)
    for path, (size, sha256) in files.items():
        pool.make_placeholder(tree.root / path, size, sha256, tree.root.parent)
    return frozenset(files)


def _listed_files(tree: Tree, reach: Reach) -> Iterator[PoolFile]:
    """The files that the generations in the checkout list; a file may come more than once."""
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
                # A command that needs this generation reports the damage itself.
                continue
            yield from (file for package in contents.packages for file in package.files)


def _with_actual_digests(
    store: ObjectStore, files: Mapping[str, tuple[int, str]]
) -> dict[str, tuple[int, str]]:
    """The same files with the digests of the bytes in the store."""
    paths = list(files)
    digests = in_parallel(store.digest, paths)
    return {path: (files[path][0], sha256) for path, sha256 in zip(paths, digests, strict=True)}
