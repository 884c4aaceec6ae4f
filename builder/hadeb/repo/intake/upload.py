# SPDX-License-Identifier: Apache-2.0
"""What a FILE on the command line stands for: a .deb, a .dsc with its files, or a .changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.deb822 import field, without_signature
from hadeb.debian.names import FILE_NAME
from hadeb.files.digest import digest

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Sum:
    """A file, with the size in bytes and the SHA256 in hex that it has, or is to have."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A .deb or a .dsc; `wanted` is what a .changes says of it, where one does."""

    path: Path
    wanted: Sum | None = None


class Refused(Exception):
    """What is wrong with one file."""


def parcels(path: Path) -> list[Parcel]:
    """The packages that a file stands for: itself, or those that it lists. Raises Refused."""
    check_file(path)
    if path.suffix in {".deb", ".dsc"}:
        return [Parcel(path)]
    if path.suffix != ".changes":
        raise Refused("is no .deb, .dsc or .changes")
    found = []
    for wanted in listed(read_paragraph(path), path.parent):
        if wanted.path.suffix in {".deb", ".dsc"}:
            # Held against what is said of it when there is a copy, which nobody changes.
            found.append(Parcel(wanted.path, wanted))
        else:
            compare(
                Sum(wanted.path, wanted.path.stat().st_size, digest(wanted.path)), wanted, "lists"
            )
    if not found:
        raise Refused("lists no .deb and no .dsc, so there is nothing to publish")
    return found


def check_file(path: Path) -> None:
    """Raise Refused where a path is not that of a file."""
    if path.is_dir():
        raise Refused("is a directory; name the files in it")
    if not path.exists():
        raise Refused("there is no such file")
    # Nobody may write to the other end of a pipe, ever.
    if not path.is_file():
        raise Refused("is no regular file; copy what it gives into one")


def read_paragraph(path: Path) -> str:
    """The fields of a .dsc or .changes, without the signature around them."""
    return without_signature(path.read_text("utf-8", "surrogateescape"))


def listed(paragraph: str, directory: Path) -> list[Sum]:
    """The files that Checksums-Sha256 lists, which are to lie in a directory. Raises Refused."""
    words = field(paragraph, "Checksums-Sha256").split()
    rows = list(zip(words[::3], words[1::3], words[2::3], strict=False))
    if not rows or len(rows) * 3 != len(words):
        raise Refused("lists no files with their SHA256")
    found = []
    for sha256, size, name in rows:
        if not _SHA256.fullmatch(sha256) or not size.isdecimal():
            raise Refused(f"lists {name} without a SHA256 and a size")
        if not FILE_NAME.fullmatch(name):
            raise Refused(f"lists {name!r}, which no URL can name as it is")
        if not (directory / name).is_file():
            raise Refused(f"lists {name}, which is not beside it")
        found.append(Sum(directory / name, int(size), sha256))
    return found


def compare(has: Sum, wanted: Sum, verb: str) -> None:
    """Raise Refused where a file is not what is said of it."""
    name = wanted.path.name
    if has.size != wanted.size:
        raise Refused(f"{verb} {name} with {wanted.size} bytes, and it has {has.size}")
    if has.sha256 != wanted.sha256:
        raise Refused(f"{verb} {name} with another SHA256")
