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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from hadeb.debian.deb822 import field
from hadeb.debian.names import PACKAGE, SOURCE_FIELD
from hadeb.debian.version import VERSION, without_epoch
from hadeb.errors import CommandFailed
from hadeb.repo.apt.ftparchive import ftparchive
from hadeb.repo.disk.layout import STAGED
from hadeb.repo.intake.upload import Parcel, Refused, Sum, compare, listed, parcels, read_paragraph
from hadeb.repo.model.contents import SOURCE, PoolFile, Published
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage
from hadeb.repo.model.repository import RepoSuite
from hadeb.run import run

_CHUNK = 1 << 20
_LONG_PREFIX = re.compile("lib.")
_FIRST_FIELD = re.compile(r"\APackage:.*(?:\n[ \t].*)*", re.IGNORECASE)
# What an index says of a package, and apt would take from the package's own control file:
# apt-ftparchive overwrites none of them.
_OF_AN_INDEX = ("Phased-Update-Percentage", "MD5sum", "SHA1", "SHA512")
_DEB = "package.deb"

T = TypeVar("T")
_Given = TypeVar("_Given")


@contextmanager
def staging_in(incoming: Path | None) -> Iterator[Path]:
    """An empty directory for copies, gone afterwards; on the pool's disk where `incoming` is."""
    path = Path(tempfile.mkdtemp(prefix=STAGED, dir=incoming))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def named(paths: Sequence[Path]) -> list[Parcel]:
    """The packages that files stand for, each once, in the order in which they are named.

    Raises FilesRefused with all that stand for none.
    """
    found = _each(paths, lambda path: path, parcels)
    return list(dict.fromkeys(parcel for some in found for parcel in some))


def read_incoming(
    paths: Sequence[Path], staging: Path, suite: RepoSuite, component: str
) -> list[IncomingPackage]:
    """Take packages in: .deb, .dsc with the files it names, .changes with all it names.

    `staging` is an empty directory. Raises FilesRefused with all that is wrong with any.
    """
    wanted = named(paths)
    # Numbers in place of names: apt-ftparchive's listing has no way to tell a blank in one.
    places = {str(number): parcel for number, parcel in enumerate(wanted)}
    taken = _each(
        places.items(), lambda item: item[1].path, lambda item: _take(item[1], staging / item[0])
    )
    copies = dict(zip(places, taken, strict=True))
    arrived, faults = [], []
    for place, stanza in _stanzas(staging):
        parcel, files = places.pop(place), copies[place]
        if reasons := list(_unfit(stanza, suite, is_source=parcel.path.suffix == ".dsc")):
            faults += [f"{parcel.path}: {reason}" for reason in reasons]
        else:
            arrived.append(_arrived(stanza, parcel.path, files, component))
    faults += [f"{one.path}: apt-ftparchive reads no package in it" for one in places.values()]
    faults += _clashes(arrived)
    if faults:
        raise FilesRefused(faults)
    return list({one.published.identity: one for one in arrived}.values())


def _each(
    things: Iterable[_Given], path: Callable[[_Given], Path], judge: Callable[[_Given], T]
) -> list[T]:
    """What comes of each, in their order; FilesRefused with what is wrong with any."""

    def one(thing: _Given) -> tuple[T | None, str | None]:
        try:
            return judge(thing), None
        except (Refused, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return None, f"{path(thing)}: {reason}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(one, things))
    if faults := [fault for _, fault in done if fault]:
        raise FilesRefused(faults)
    return [found for found, _ in done if found is not None]


def _take(parcel: Parcel, place: Path) -> tuple[Sum, ...]:
    """Copy a package into a new directory, and find it whole; the copies."""
    place.mkdir()
    copy = _copy(parcel.path, place / _DEB)
    if parcel.wanted:
        compare(copy, parcel.wanted, "its .changes lists")
    if parcel.path.suffix == ".deb":
        _check_whole(copy.path)
        return (copy,)
    paragraph = read_paragraph(copy.path)
    source, version = field(paragraph, "Source"), field(paragraph, "Version")
    if not PACKAGE.fullmatch(source) or not VERSION.fullmatch(version):
        raise Refused(
            f"has the source {source!r} {version!r}, which Debian Policy (5.6) does not allow"
        )
    dsc = copy.path.rename(place / f"{source}_{without_epoch(version)}.dsc")
    found = [Sum(dsc, copy.size, copy.sha256)]
    for wanted in listed(paragraph, parcel.path.parent):
        name = wanted.path.name
        # The pool has them all in one directory, where none may pass for something else.
        if not name.startswith(f"{source}_") or name.endswith((".deb", ".dsc")):
            raise Refused(f"lists {name}, which is no file of the source {source}")
        found.append(_copy(wanted.path, place / name))
        compare(found[-1], wanted, "lists")
    return tuple(sorted(found, key=lambda each: each.path.name))


def _copy(path: Path, target: Path) -> Sum:
    seen, size = hashlib.sha256(), 0
    with path.open("rb") as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            seen.update(chunk)
            size += copy.write(chunk)
        os.fchmod(copy.fileno(), 0o444)
    return Sum(target, size, seen.hexdigest())


def _check_whole(path: Path) -> None:
    """A .deb whose every byte can be unpacked; apt-ftparchive reads its beginning alone."""
    try:
        run(("dpkg-deb", "--contents", str(path)), timeout=600)
    except CommandFailed as error:
        said = (error.stderr.strip().splitlines() or ["dpkg-deb does not say why"])[-1]
        raise Refused(f"is damaged: {said.removeprefix('dpkg-deb: error: ')}") from error


def _stanzas(staging: Path) -> Iterator[tuple[str, str]]:
    """The directory below `staging` of each package, and its stanza by apt-ftparchive(1)."""
    for kind, suffix, where in (
        ("packages", ".deb", "Filename"),
        ("sources", ".dsc", "Directory"),
    ):
        if not any(staging.glob(f"*/*{suffix}")):
            continue
        for stanza in filter(None, ftparchive(kind, staging, timeout=3600).split("\n\n")):
            yield field(stanza, where).split("/")[1], stanza.strip("\n")


def _unfit(stanza: str, suite: RepoSuite, *, is_source: bool) -> Iterator[str]:
    source = field(stanza, "Source") or field(stanza, "Package")
    for what, value, shape in (
        ("name", field(stanza, "Package"), PACKAGE),
        ("version", field(stanza, "Version"), VERSION),
        ("source", source, SOURCE_FIELD),
    ):
        if not shape.fullmatch(value):
            yield f"has the {what} {value!r}, which Debian Policy (5.6) does not allow"
    architecture = field(stanza, "Architecture")
    if not is_source and architecture not in {*suite.architectures, "all"}:
        listed = ", ".join(suite.architectures)
        yield f"is for {architecture}, and suite {suite.name} has {listed}"
    for name in _OF_AN_INDEX:
        if re.search(f"^{name}:", stanza, re.MULTILINE | re.IGNORECASE):
            yield (
                f"has {name} in its control file, and clients would believe it: build it without"
                + ("; --phase says how many machines upgrade" if name.startswith("Ph") else "")
            )


def _arrived(stanza: str, origin: Path, copies: Sequence[Sum], component: str) -> IncomingPackage:
    name, version = field(stanza, "Package"), field(stanza, "Version")
    match = SOURCE_FIELD.fullmatch(field(stanza, "Source"))
    source = match["name"] if match else name
    initial = match.group() if (match := _LONG_PREFIX.match(source)) else source[:1]
    directory = f"pool/{component}/{initial}/{source}"
    # However the package's author has laid the field out: a list is read back by this line.
    stanza = _FIRST_FIELD.sub(f"Package: {name}", stanza)
    if origin.suffix == ".deb":
        architecture = field(stanza, "Architecture")
        names = [f"{name}_{without_epoch(version)}_{architecture}.deb"]
        stanza = re.sub("(?m)^Filename: .*$", lambda _: f"Filename: {directory}/{names[0]}", stanza)
    else:
        architecture = SOURCE
        names = [copy.path.name for copy in copies]
        stanza = re.sub("(?m)^Directory: .*$", lambda _: f"Directory: {directory}", stanza)
    files = tuple(
        PoolFile(f"{directory}/{file}", copy.size, copy.sha256)
        for file, copy in zip(names, copies, strict=True)
    )
    published = Published(component, name, version, architecture, stanza, files)
    return IncomingPackage(published, tuple(copy.path for copy in copies), origin)


def _clashes(arrived: Sequence[IncomingPackage]) -> Iterator[str]:
    """What is one package, or one file of the pool, and comes with different bytes."""
    packages: dict[tuple[str, str, str], IncomingPackage] = {}
    files: dict[str, tuple[PoolFile, IncomingPackage]] = {}
    for one in arrived:
        first = packages.setdefault(one.published.identity, one)
        if first.published.files != one.published.files:
            yield f"{one.origin}: is {one.published}, and so is {first.origin}, with other bytes"
            continue
        for file in one.published.files:
            before, other = files.setdefault(file.path, (file, one))
            if before != file:
                name = Path(file.path).name
                yield f"{one.origin}: has another {name} than {other.origin}, for the same place"
