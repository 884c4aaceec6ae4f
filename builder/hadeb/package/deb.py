# SPDX-License-Identifier: Apache-2.0
"""The bytes of a .deb (deb(5), format 2.0). Pure.

The same package value always gives the same bytes. They do not depend on the user, the umask, the
clock, or a compressor's setting that another release might change.
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
from collections.abc import Iterable

from hadeb.debian.deb822 import paragraph
from hadeb.package.model import Entry, File, Link, Package

_AR_MAGIC = b"!<arch>\n"
_SMALL_ARCHIVE = 1 << 20
_SMALLEST_DICTIONARY = 1 << 16
_LARGEST_DICTIONARY = 1 << 23


def write(package: Package) -> bytes:
    """The whole .deb."""
    return _AR_MAGIC + b"".join(
        _ar_member(name, content, package.timestamp)
        for name, content in (
            ("debian-binary", b"2.0\n"),
            ("control.tar.xz", _compress(_control_archive(package))),
            ("data.tar.xz", _compress(_data_archive(package))),
        )
    )


def control_file(package: Package) -> str:
    """DEBIAN/control."""
    return paragraph(package.control)


def _control_archive(package: Package) -> bytes:
    members: list[File] = [File("control", control_file(package).encode())]
    if package.conffiles:
        text = "".join(f"/{path}\n" for path in package.conffiles)
        members.append(File("conffiles", text.encode()))
    members.append(File("md5sums", _md5sums(package).encode()))
    members.extend(File(script.name, script.text.encode(), 0o755) for script in package.scripts)
    members.sort(key=lambda member: member.path)
    return _archive((), members, package.timestamp)


def _data_archive(package: Package) -> bytes:
    return _archive(package.directories(), package.entries, package.timestamp)


def _md5sums(package: Package) -> str:
    """The checksums for `dpkg --verify`; dpkg keeps those of conffiles elsewhere."""
    return "".join(
        f"{hashlib.md5(entry.content, usedforsecurity=False).hexdigest()}  {entry.path}\n"
        for entry in package.entries
        if isinstance(entry, File) and entry.path not in package.conffiles
    )


def _archive(directories: Iterable[str], entries: Iterable[Entry], timestamp: int) -> bytes:
    """A tar archive in GNU format, owned by root, with each directory before its content."""
    blocks = [_header("./", tarfile.DIRTYPE, 0o755, timestamp)]
    members: list[tuple[str, Entry | None]] = [(f"{path}/", None) for path in directories]
    members.extend((entry.path, entry) for entry in entries)
    for path, entry in sorted(members, key=lambda member: member[0]):
        match entry:
            case File(_, content, mode):
                blocks.append(
                    _header(f"./{path}", tarfile.REGTYPE, mode, timestamp, size=len(content))
                )
                blocks.append(content + bytes(-len(content) % tarfile.BLOCKSIZE))
            case Link(_, target):
                blocks.append(
                    _header(f"./{path}", tarfile.SYMTYPE, 0o777, timestamp, target=target)
                )
            case None:
                blocks.append(_header(f"./{path}", tarfile.DIRTYPE, 0o755, timestamp))
    archive = b"".join(blocks) + bytes(2 * tarfile.BLOCKSIZE)
    return archive + bytes(-len(archive) % tarfile.RECORDSIZE)


def _header(
    path: str, kind: bytes, mode: int, timestamp: int, *, size: int = 0, target: str = ""
) -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime, info.size, info.linkname = kind, mode, timestamp, size, target
    info.uname = info.gname = "root"
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _compress(archive: bytes) -> bytes:
    """xz in one block, with explicit settings.

    A small archive gets a small dictionary, because liblzma clears it first, and clearing the
    preset's 8 MiB takes three times as long as compressing a small package. Its fast mode takes a
    third of the time for five percent more bytes, less than a kilobyte. A large archive gets the
    normal mode. tests/bench/build_bench.py measures it.
    """
    small = len(archive) <= _SMALL_ARCHIVE
    size = max(_SMALLEST_DICTIONARY, min(_LARGEST_DICTIONARY, 1 << len(archive).bit_length()))
    filters = [
        {
            "id": lzma.FILTER_LZMA2,
            "dict_size": size,
            "lc": 3,
            "lp": 0,
            "pb": 2,
            "mode": lzma.MODE_FAST if small else lzma.MODE_NORMAL,
            "nice_len": 128 if small else 64,
            "mf": lzma.MF_HC4 if small else lzma.MF_BT4,
            "depth": 0,
        }
    ]
    return lzma.compress(archive, lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters)


def _ar_member(name: str, content: bytes, timestamp: int) -> bytes:
    header = f"{name:<16}{timestamp:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
    return header.encode() + content + b"\n" * (len(content) % 2)
