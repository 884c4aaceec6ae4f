# SPDX-License-Identifier: Apache-2.0
"""Write packages to disk, all of them or none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.atomic import STAGED, stage
from hadeb.files.lock import acquire_directory
from hadeb.package.deb import write
from hadeb.package.model import Package
from hadeb.parallel import in_parallel


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
    """Write each package to `directory`; a reader sees the old file or the new one, never a part.

    All are written before the first gets its name, so a full disk changes nothing in `directory`.
    Raises HadebError if writing fails.
    """
    written: list[tuple[Path, Path]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _locked(directory) as is_locked:
            if is_locked:
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
                written.append((stage(target, content), target))
                return _receipt(package, target, content)

            built = in_parallel(write_one, packages)
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
            # The error that left it is the one to report.
            with suppress(OSError):
                temporary.unlink()
    return built


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Wait for other builds into `directory`, and keep later ones out.

    Yields False if the file system has no locks; the build works without.
    """
    try:
        descriptor = acquire_directory(directory)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def _remove_leftovers(directory: Path) -> None:
    """Remove what a killed build left; call it under the lock, while nobody else writes."""
    for leftover in directory.glob(f".*.deb.*{STAGED}"):
        leftover.unlink()


def _receipt(package: Package, path: Path, content: bytes) -> Built:
    return Built(
        path=path,
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
