# SPDX-License-Identifier: Apache-2.0
"""The pool: files that never change, each under a name of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hadeb.files import atomic
from hadeb.files.digest import digest
from hadeb.repo.disk import ownership
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.contents import PoolFile, Published
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage

# The directory whose files are nothing but their sizes, and named by the hashes they stand for.
_ELSEWHERE = ".elsewhere"


def add(tree: Tree, arrived: Sequence[IncomingPackage]) -> None:
    """Give copies their names in the pool, after their bytes are on the disk.

    Raises FilesRefused where a name is taken by other bytes that a list names.
    """
    wanted = [
        (copy, file)
        for package in arrived
        for copy, file in zip(package.copies, package.published.files, strict=True)
        if not _is(tree.root / file.path, file)
    ]
    refuse_clashes(tree, [file for _, file in wanted])
    ownership.add(tree, [file.path for _, file in wanted])
    atomic.sync(copy for copy, _ in wanted)
    for copy, file in wanted:
        path = tree.root / file.path
        atomic.make_directory(path.parent)
        # The copy stays for now: a rename would take it from whoever reads it again.
        temporary = path.with_name(f"{atomic.UNFINISHED}{path.name}")
        temporary.unlink(missing_ok=True)
        temporary.hardlink_to(copy)
        temporary.replace(path)
    # Those that were there, too: who made them may have been killed before this.
    named = {tree.root / file.path for package in arrived for file in package.published.files}
    atomic.sync({up for path in named for up in path.parents if tree.root in up.parents})


def refuse_clashes(tree: Tree, files: Sequence[PoolFile]) -> None:
    """Raise FilesRefused where a file would take the place of another that is not for us to remove.

    What hadeb has put there and no list names was left by a command that failed, and may go.
    """
    taken = {file.path for file in files if _clashes(tree.root / file.path, file)}
    named = _named_by_lists(tree, taken) if taken else set()
    others = taken - named - ownership.owned(tree) if taken else set()
    if taken := named | others:
        raise FilesRefused(
            [
                f"{path} is published with other bytes: a changed package needs a new version"
                if path in named
                else f"{path} is there, and hadeb did not put it there: move it away"
                for path in sorted(taken)
            ]
        )


def _named_by_lists(tree: Tree, paths: set[str]) -> set[str]:
    """Which of these paths a generation names, of those that are there."""
    found = set[str]()
    for manifest in tree.dists.glob(".generations/*/*/manifest.json"):
        text = manifest.read_text("utf-8", "surrogateescape")
        found |= {path for path in paths if f'"{path}"' in text}
    return found


def make_placeholder(path: Path, size: int, sha256: str, elsewhere: Path) -> None:
    """Let a link have a file's place, size and hash, whose bytes lie in an object store."""
    target = elsewhere / _ELSEWHERE / f"{size}" / sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.touch()
        os.truncate(target, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target.absolute())


def digest_of(path: Path) -> str:
    """The SHA256 of a file of the pool, or of what a stand-in stands for."""
    target = path.readlink() if path.is_symlink() else path
    return target.name if target.parent.parent.name == _ELSEWHERE else digest(path)


def _is(path: Path, file: PoolFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and digest_of(path) == file.sha256


def _clashes(path: Path, file: PoolFile) -> bool:
    return path.exists() and not _is(path, file)


def faults(packages: Sequence[Published], root: Path) -> list[str]:
    """What is wrong with the files of these packages: gone, or not what was published."""
    return [
        f"{file.path} has changed in the pool since it was published"
        if (root / file.path).is_file()
        else f"{file.path} is gone from the pool"
        for package in packages
        for file in package.files
        if not _is(root / file.path, file)
    ]


def refuse_faults(packages: Sequence[Published], root: Path) -> None:
    """Raise FilesRefused where the pool no longer has what a list is to name."""
    if found := faults(packages, root):
        raise FilesRefused(found)


def paths(root: Path) -> list[Path]:
    """All files of the pool."""
    return [
        Path(directory, name)
        for directory, _, names in os.walk(root / "pool")
        for name in sorted(names)
    ]
