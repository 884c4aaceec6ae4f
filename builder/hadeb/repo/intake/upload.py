# SPDX-License-Identifier: Apache-2.0
"""The files that a user names: a .deb, a .dsc with its files, or a .changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.deb822 import field, without_signature
from hadeb.debian.names import FILE_NAME
from hadeb.files.digest import digest

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileSum:
    """A file with its size in bytes and its SHA256 in hex, either actual or expected."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A .deb or a .dsc; `expected` is its entry in a .changes, if it comes from one."""

    path: Path
    expected: FileSum | None = None


class Refusal(Exception):
    """Why one file is refused."""


def packages_in(path: Path) -> list[InputFile]:
    """The packages that a file is or lists. Raises Refusal."""
    check_file(path)
    if path.suffix in {".deb", ".dsc"}:
        return [InputFile(path)]
    if path.suffix != ".changes":
        raise Refusal("is not a .deb, .dsc or .changes")
    packages = []
    for entry in listed_files(read_paragraph(path), path.parent):
        if entry.path.suffix in {".deb", ".dsc"}:
            # It is compared with its entry once there is a copy, which nobody can change.
            packages.append(InputFile(entry.path, entry))
        else:
            actual = FileSum(entry.path, entry.path.stat().st_size, digest(entry.path))
            compare(actual, entry, "lists")
    if not packages:
        raise Refusal("lists no .deb and no .dsc, so there is nothing to publish")
    return packages


def check_file(path: Path) -> None:
    """Raise Refusal if a path is not that of a regular file."""
    if path.is_dir():
        raise Refusal("is a directory; name the files in it")
    if not path.exists():
        raise Refusal("does not exist")
    # Reading a pipe could take forever.
    if not path.is_file():
        raise Refusal("is not a regular file; copy its content into one")


def read_paragraph(path: Path) -> str:
    """The fields of a .dsc or .changes, without the signature around them."""
    return without_signature(path.read_text("utf-8", "surrogateescape"))


def listed_files(paragraph: str, directory: Path) -> list[FileSum]:
    """The files that Checksums-Sha256 lists; they must be in the directory. Raises Refusal."""
    words = field(paragraph, "Checksums-Sha256").split()
    rows = list(zip(words[::3], words[1::3], words[2::3], strict=False))
    if not rows or len(rows) * 3 != len(words):
        raise Refusal("lists no files with their SHA256")
    files = []
    for sha256, size, name in rows:
        if not _SHA256.fullmatch(sha256) or not size.isdecimal():
            raise Refusal(f"lists {name} without a SHA256 and a size")
        if not FILE_NAME.fullmatch(name):
            raise Refusal(f"lists {name!r}, which a URL cannot hold unescaped")
        if not (directory / name).is_file():
            raise Refusal(f"lists {name}, which is not beside it")
        files.append(FileSum(directory / name, int(size), sha256))
    return files


def compare(actual: FileSum, expected: FileSum, verb: str) -> None:
    """Raise Refusal if a file does not have the expected size and SHA256."""
    name = expected.path.name
    if actual.size != expected.size:
        raise Refusal(f"{verb} {name} with {expected.size} bytes, but it has {actual.size}")
    if actual.sha256 != expected.sha256:
        raise Refusal(f"{verb} {name} with another SHA256")
