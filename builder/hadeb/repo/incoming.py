# SPDX-License-Identifier: Apache-2.0
"""Files that are to be published: copied, found whole, and read by apt-ftparchive.

A file is copied first and judged by its copy, so nobody changes it between the look and the pool.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.repo.contents import SOURCE, PoolFile, Published
from hadeb.repo.digest import digest
from hadeb.repo.ftparchive import ftparchive
from hadeb.repo.identity import RepoSuite
from hadeb.repo.stand_ins import field
from hadeb.repo.tree import STAGED
from hadeb.run import run

_CHUNK = 1 << 20
_CHECKED = re.compile(r"^ ([0-9a-f]{64}) +([0-9]+) +(\S+)$", re.MULTILINE)
_NAME = re.compile("[a-z0-9][a-z0-9+.-]*")
_VERSION = re.compile("([0-9]+:)?[A-Za-z0-9.+~-]+")
_FILE_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9.+~_-]*")
_LONG_PREFIX = re.compile("lib.")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A package that may be published, and where the copy of each of its files is."""

    published: Published
    copies: tuple[Path, ...]


class FilesRefused(HadebError):
    """Some of the files cannot be published; nothing was."""

    def __init__(self, faults: Sequence[str]) -> None:
        noun = "file is" if len(faults) == 1 else "files are"
        lines = "".join(f"\n  {fault}" for fault in faults)
        super().__init__(f"{len(faults)} {noun} refused, and the repository is as it was:{lines}")


class _Fault(Exception):
    """What is wrong with one file."""


@contextmanager
def staging_in(incoming: Path | None) -> Iterator[Path]:
    """An empty directory for copies, gone afterwards; on the pool's disk where `incoming` is."""
    path = Path(tempfile.mkdtemp(prefix=STAGED, dir=incoming))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def read_incoming(
    paths: Sequence[Path], staging: Path, suite: RepoSuite, component: str
) -> list[Arrived]:
    """Take packages in: .deb, .dsc with the files it names, .changes with all it names.

    `staging` is an empty directory. Raises FilesRefused with all that is wrong with any.
    """
    faults: list[str] = []
    copies: dict[Path, tuple[Path, str]] = {}

    def each(paths: Sequence[Path], judge: Callable[[Path], None]) -> None:
        def one(path: Path) -> str | None:
            try:
                judge(path)
            except (_Fault, OSError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                return f"{path}: {reason}"
            return None

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            faults.extend(fault for fault in pool.map(one, paths) if fault)

    wanted: list[Path] = []
    each(paths, lambda path: wanted.extend(_named(path)))
    # In the order they were named, each once.
    order = {path: place for place, path in enumerate(dict.fromkeys(wanted))}

    def copy(path: Path) -> None:
        target = staging / str(order[path]) / path.name
        target.parent.mkdir()
        copies[path] = (target, _copy(path, target))
        if path.suffix == ".deb":
            _check_whole(target)

    each(list(order), copy)
    if faults:
        raise FilesRefused(faults)
    arrived = []
    origins = {copy: (path, sha256) for path, (copy, sha256) in copies.items()}
    for name, stanza in _stanzas(staging):
        path, sha256 = origins[staging / name]
        found = _arrived(stanza, staging / name, sha256, component)
        faults.extend(f"{path}: {reason}" for reason in _unfit(found.published, suite))
        arrived.append(found)
    unread = origins.keys() - {file for each_one in arrived for file in each_one.copies}
    faults.extend(f"{origins[copy][0]}: apt-ftparchive reads no package in it" for copy in unread)
    if faults:
        raise FilesRefused(faults)
    return arrived


def _named(path: Path) -> list[Path]:
    """The files that a file stands for: itself, or those it lists."""
    if not path.is_file():
        raise _Fault("there is no such file")
    if path.suffix == ".deb":
        return [path]
    if path.suffix not in {".dsc", ".changes"}:
        raise _Fault("is no .deb, .dsc or .changes")
    text = path.read_text("utf-8", "surrogateescape")
    _, _, checked = text.partition("\nChecksums-Sha256:")
    listed = _CHECKED.findall(checked.partition("\n\n")[0])
    if not listed:
        raise _Fault("lists no files with their SHA256")
    found = [path] if path.suffix == ".dsc" else []
    for expected, _, name in listed:
        file = path.parent / Path(name).name
        if not file.is_file():
            raise _Fault(f"lists {name}, which is not beside it")
        if digest(file) != expected:
            raise _Fault(f"lists {name} with another SHA256")
        if path.suffix == ".dsc" or file.suffix == ".deb":
            found.append(file)
        elif file.suffix == ".dsc":
            found += _named(file)
    return found


def _copy(path: Path, target: Path) -> str:
    """Copy a file; its SHA256."""
    seen = hashlib.sha256()
    with path.open("rb") as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            seen.update(chunk)
            copy.write(chunk)
        os.fchmod(copy.fileno(), 0o444)
    return seen.hexdigest()


def _check_whole(path: Path) -> None:
    """A .deb whose every byte can be unpacked; apt-ftparchive reads its beginning alone."""
    try:
        run(("dpkg-deb", "--contents", str(path)), timeout=600)
    except CommandFailed as error:
        said = (error.stderr.strip().splitlines() or ["dpkg-deb does not say why"])[-1]
        raise _Fault(f"is damaged: {said.removeprefix('dpkg-deb: error: ')}") from error


def _stanzas(staging: Path) -> Iterator[tuple[str, str]]:
    """The name below `staging` of each package there, and its stanza by apt-ftparchive(1)."""
    for kind in ("packages", "sources"):
        suffix = ".deb" if kind == "packages" else ".dsc"
        if not any(staging.glob(f"*/*{suffix}")):
            continue
        written = ftparchive(kind, staging, timeout=3600)
        for stanza in filter(None, written.split("\n\n")):
            if kind == "packages":
                yield field(stanza, "Filename").removeprefix("./"), stanza.strip("\n")
            else:
                directory = field(stanza, "Directory").removeprefix("./")
                (dsc,) = (staging / directory).glob("*.dsc")
                yield f"{directory}/{dsc.name}", stanza.strip("\n")


def _arrived(stanza: str, copy: Path, sha256: str, component: str) -> Arrived:
    name, version = field(stanza, "Package"), field(stanza, "Version")
    without_epoch = version.rpartition(":")[2]
    source = field(stanza, "Source").split(" ")[0] or name
    initial = match.group() if (match := _LONG_PREFIX.match(source)) else source[:1]
    directory = f"pool/{component}/{initial}/{source}"
    if copy.suffix == ".deb":
        architecture = field(stanza, "Architecture")
        path = f"{directory}/{name}_{without_epoch}_{architecture}.deb"
        stanza = re.sub("(?m)^Filename: .*$", lambda _: f"Filename: {path}", stanza)
        files: tuple[PoolFile, ...] = (PoolFile(path, copy.stat().st_size, sha256),)
        copies: tuple[Path, ...] = (copy,)
    else:
        architecture = SOURCE
        stanza = re.sub("(?m)^Directory: .*$", lambda _: f"Directory: {directory}", stanza)
        copies = tuple(sorted(copy.parent.iterdir()))
        files = tuple(
            PoolFile(f"{directory}/{file.name}", file.stat().st_size, digest(file))
            for file in copies
        )
    return Arrived(Published(component, name, version, architecture, stanza, files), copies)


def _unfit(package: Published, suite: RepoSuite) -> Iterator[str]:
    known = {*suite.architectures, "all", SOURCE}
    if package.architecture not in known:
        listed = ", ".join(suite.architectures)
        yield f"is for {package.architecture}, and suite {suite.name} has {listed}"
    for what, value, shape in (
        ("name", package.name, _NAME),
        ("version", package.version, _VERSION),
        ("source", package.files[0].path.split("/")[3], _NAME),
    ):
        if not shape.fullmatch(value):
            yield f"has the {what} {value!r}, which Debian Policy (5.6) does not allow"
    for file in package.files:
        if not _FILE_NAME.fullmatch(Path(file.path).name):
            yield f"has a file {Path(file.path).name!r}, which no URL can name as it is"
