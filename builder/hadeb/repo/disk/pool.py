# SPDX-License-Identifier: Apache-2.0
"""The pool: files that never change, each under its own name."""

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

# In a checkout, the directory of sparse files that placeholders link to, named SIZE/SHA256.
_PLACEHOLDERS = ".placeholders"


def add(tree: Tree, incoming: Sequence[IncomingPackage]) -> None:
    """Add packages to the pool; their bytes are on the disk before they get their names.

    Raises FilesRefused if a name is taken by other bytes that a list names.
    """
    wanted = [
        (copy, file)
        for package in incoming
        for copy, file in zip(package.copies, package.published.files, strict=True)
        if not _holds(tree.root / file.path, file)
    ]
    refuse_conflicts(tree, [file for _, file in wanted])
    ownership.add(tree, [file.path for _, file in wanted])
    atomic.sync(copy for copy, _ in wanted)
    for copy, file in wanted:
        path = tree.root / file.path
        atomic.make_directory(path.parent)
        # Link instead of renaming, since the copy is still read.
        temporary = path.with_name(f"{atomic.UNFINISHED}{path.name}")
        temporary.unlink(missing_ok=True)
        temporary.hardlink_to(copy)
        temporary.replace(path)
    # Include files that existed before: their command may have been killed before it synced.
    named = {tree.root / file.path for package in incoming for file in package.published.files}
    atomic.sync({up for path in named for up in path.parents if tree.root in up.parents})


def refuse_conflicts(tree: Tree, files: Sequence[PoolFile]) -> None:
    """Raise FilesRefused if a file would replace another one that hadeb must not remove.

    A file that hadeb put there and no list names is a leftover of a failed command, and may go.
    """
    taken = {file.path for file in files if _conflicts(tree.root / file.path, file)}
    named = _named_by_lists(tree, taken) if taken else set()
    others = taken - named - ownership.owned(tree) if taken else set()
    if taken := named | others:
        raise FilesRefused(
            [
                f"{path} is published with other bytes: a changed package needs a new version"
                if path in named
                else f"{path} exists, and hadeb did not put it there: move it away"
                for path in sorted(taken)
            ]
        )


def _named_by_lists(tree: Tree, paths: set[str]) -> set[str]:
    """The paths that at least one existing generation names."""
    named = set[str]()
    for manifest in tree.dists.glob(".generations/*/*/manifest.json"):
        text = manifest.read_text("utf-8", "surrogateescape")
        named |= {path for path in paths if f'"{path}"' in text}
    return named


def make_placeholder(path: Path, size: int, sha256: str, above: Path) -> None:
    """Create a placeholder with the size and SHA256 of a file whose bytes are in an object store.

    It is a link to a sparse file in a directory beside the repository, `above` it.
    """
    target = above / _PLACEHOLDERS / f"{size}" / sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.touch()
        os.truncate(target, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target.absolute())


def digest_of(path: Path) -> str:
    """The SHA256 of a file of the pool, or of the file that a placeholder represents."""
    target = path.readlink() if path.is_symlink() else path
    return target.name if target.parent.parent.name == _PLACEHOLDERS else digest(path)


def _holds(path: Path, file: PoolFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and digest_of(path) == file.sha256


def _conflicts(path: Path, file: PoolFile) -> bool:
    return path.exists() and not _holds(path, file)


def damage(packages: Sequence[Published], root: Path) -> list[str]:
    """A sentence for each file of these packages that is gone or has changed."""
    return [
        f"{file.path} has changed in the pool since it was published"
        if (root / file.path).is_file()
        else f"{file.path} is gone from the pool"
        for package in packages
        for file in package.files
        if not _holds(root / file.path, file)
    ]


def refuse_damage(packages: Sequence[Published], root: Path) -> None:
    """Raise FilesRefused if the pool no longer has the files of these packages."""
    if problems := damage(packages, root):
        raise FilesRefused(problems)


def paths(root: Path) -> list[Path]:
    """All files of the pool."""
    return [
        Path(directory, name)
        for directory, _, names in os.walk(root / "pool")
        for name in sorted(names)
    ]
