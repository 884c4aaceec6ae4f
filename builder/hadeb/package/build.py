# SPDX-License-Identifier: Apache-2.0
"""Write packages to disk: all of them whole, or none."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.package.deb import write
from hadeb.package.model import Package
from hadeb.parallel import at_once

# How the name of a file ends while it is written.
_UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Built:
    """A .deb on disk. `size` is in bytes, `sha256` in hexadecimal."""

    path: Path
    name: str
    version: str
    architecture: str
    size: int
    sha256: str


def build(packages: Sequence[Package], directory: Path) -> list[Built]:
    """Write each package to `directory`; a reader sees the old file or the new, never a part.

    Raises HadebError where the disk refuses. All are written before the first gets its name, so
    that a full disk changes nothing in `directory`.
    """
    written: list[tuple[Path, Path]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone_in(directory) as alone:
            if alone:
                _remove_leftovers(directory)
            for package in packages:
                if (directory / package.file_name).is_dir():
                    raise HadebError(
                        f"{directory / package.file_name} is a directory",
                        hint="remove it, or name another directory with --output",
                    )

            def write_one(package: Package) -> Built:
                content = write(package)
                target = directory / package.file_name
                written.append((_write_beside(target, content), target))
                return _receipt(package, target, content)

            built = at_once(write_one, packages)
            while written:
                temporary, target = written[-1]
                temporary.replace(target)
                written.pop()
    except OSError as error:
        raise HadebError(
            f"cannot write to {directory}: {error.strerror}",
            hint="name another directory with --output, or make room in this one",
        ) from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
    return built


@contextmanager
def _alone_in(directory: Path) -> Iterator[bool]:
    """Wait for other builds into `directory`, and keep later ones out.

    False where the file system has no such locks; the build itself does without.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            alone = True
        except OSError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)


def _remove_leftovers(directory: Path) -> None:
    """Remove what a killed build left; whoever is alone in `directory` knows that nobody writes."""
    for leftover in directory.glob(f".*.deb.*{_UNFINISHED}"):
        leftover.unlink()


def _write_beside(target: Path, content: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=_UNFINISHED, dir=target.parent
    )
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            # mkstemp's 0600 would keep apt's unprivileged user from reading the file.
            os.fchmod(stream.fileno(), 0o644)
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _receipt(package: Package, path: Path, content: bytes) -> Built:
    return Built(
        path=path,
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
