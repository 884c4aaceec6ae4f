# SPDX-License-Identifier: Apache-2.0
"""Copy incoming packages to a staging directory and check that they are complete.

hadeb checks the copy, so that nobody can change a file between the check and the pool.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeb.debian.deb822 import field
from hadeb.debian.names import PACKAGE
from hadeb.debian.version import VERSION, without_epoch
from hadeb.errors import CommandFailed
from hadeb.repo.disk.layout import STAGED
from hadeb.repo.intake.upload import (
    FileSum,
    InputFile,
    Refusal,
    compare,
    listed_files,
    read_paragraph,
)
from hadeb.run import run

_CHUNK = 1 << 20
_DEB = "package.deb"


@contextmanager
def staging_directory(incoming: Path | None) -> Iterator[Path]:
    """An empty directory for copies: in `incoming`, on the pool's disk, or a temporary one."""
    path = Path(tempfile.mkdtemp(prefix=STAGED, dir=incoming))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def copy_package(package: InputFile, directory: Path) -> tuple[FileSum, ...]:
    """Copy a package's files into a new directory and check them. Raises Refusal."""
    directory.mkdir()
    copy = _copy(package.path, directory / _DEB)
    if package.expected:
        compare(copy, package.expected, "its .changes lists")
    if package.path.suffix == ".deb":
        _check_whole(copy.path)
        return (copy,)
    paragraph = read_paragraph(copy.path)
    source, version = field(paragraph, "Source"), field(paragraph, "Version")
    if not PACKAGE.fullmatch(source) or not VERSION.fullmatch(version):
        raise Refusal(
            f"has the source {source!r} {version!r}, which Debian Policy (5.6) does not allow"
        )
    dsc = copy.path.rename(directory / f"{source}_{without_epoch(version)}.dsc")
    copies = [FileSum(dsc, copy.size, copy.sha256)]
    for expected in listed_files(paragraph, package.path.parent):
        name = expected.path.name
        # In the pool all packages of a source share a directory, so names must not collide.
        if not name.startswith(f"{source}_") or name.endswith((".deb", ".dsc")):
            raise Refusal(f"lists {name}, which is not a file of the source {source}")
        copies.append(_copy(expected.path, directory / name))
        compare(copies[-1], expected, "lists")
    return tuple(sorted(copies, key=lambda each: each.path.name))


def _copy(path: Path, target: Path) -> FileSum:
    sha256, size = hashlib.sha256(), 0
    with path.open("rb") as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            sha256.update(chunk)
            size += copy.write(chunk)
        os.fchmod(copy.fileno(), 0o444)
    return FileSum(target, size, sha256.hexdigest())


def _check_whole(path: Path) -> None:
    """Check that all of a .deb can be unpacked; apt-ftparchive reads only its beginning."""
    try:
        run(("dpkg-deb", "--contents", str(path)), timeout=600)
    except CommandFailed as error:
        reason = error.reason or "dpkg-deb gives no reason"
        raise Refusal(f"is damaged: {reason.replace('dpkg-deb: error: ', '')}") from error
