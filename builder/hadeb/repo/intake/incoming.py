# SPDX-License-Identifier: Apache-2.0
"""Read incoming packages: copy and check them, and let apt-ftparchive write their stanzas."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hadeb.debian.deb822 import field
from hadeb.debian.names import PACKAGE, SOURCE_FIELD
from hadeb.debian.version import VERSION, without_epoch
from hadeb.repo.apt.ftparchive import ftparchive
from hadeb.repo.intake.staging import copy_package
from hadeb.repo.intake.upload import FileSum, InputFile, Refusal, packages_in
from hadeb.repo.model.contents import SOURCE, PoolFile, Published
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage
from hadeb.repo.model.repository import RepoSuite

_LONG_PREFIX = re.compile("lib.")
_FIRST_FIELD = re.compile(r"\APackage:.*(?:\n[ \t].*)*", re.IGNORECASE)
# Fields that belong to an index. apt would take them from the package's own control file, because
# apt-ftparchive does not overwrite them.
_INDEX_FIELDS = ("Phased-Update-Percentage", "MD5sum", "SHA1", "SHA512")

Item = TypeVar("Item")
Result = TypeVar("Result")


def input_files(paths: Sequence[Path]) -> list[InputFile]:
    """The packages that the files are or list, each once, in the order the user named them.

    Raises FilesRefused with all files that are no packages.
    """
    packages = _for_each(paths, lambda path: path, packages_in)
    return list(dict.fromkeys(package for several in packages for package in several))


def read_incoming(
    paths: Sequence[Path], staging: Path, suite: RepoSuite, component: str
) -> list[IncomingPackage]:
    """Read packages: .deb, .dsc with the files it lists, .changes with all it lists.

    `staging` is an empty directory. Raises FilesRefused with every problem of every file.
    """
    # Numbers replace the names, because apt-ftparchive cannot list a name with a blank.
    packages = {str(number): package for number, package in enumerate(input_files(paths))}
    checked = _for_each(
        packages.items(),
        lambda item: item[1].path,
        lambda item: copy_package(item[1], staging / item[0]),
    )
    copies = dict(zip(packages, checked, strict=True))
    incoming, problems = [], []
    for number, stanza in _stanzas(staging):
        path, files = packages.pop(number).path, copies[number]
        if reasons := list(_problems(stanza, suite, is_source=path.suffix == ".dsc")):
            problems += [f"{path}: {reason}" for reason in reasons]
        else:
            incoming.append(_incoming_package(stanza, path, files, component))
    problems += [
        f"{package.path}: apt-ftparchive finds no package in it" for package in packages.values()
    ]
    problems += _conflicts(incoming)
    if problems:
        raise FilesRefused(problems)
    return list({package.published.identity: package for package in incoming}.values())


def _for_each(
    items: Iterable[Item], path: Callable[[Item], Path], action: Callable[[Item], Result]
) -> list[Result]:
    """The result for each item, in order; FilesRefused with the problems of all."""

    def attempt(item: Item) -> tuple[Result | None, str | None]:
        try:
            return action(item), None
        except (Refusal, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return None, f"{path(item)}: {reason}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(attempt, items))
    if problems := [problem for _, problem in done if problem]:
        raise FilesRefused(problems)
    return [result for result, _ in done if result is not None]


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


def _problems(stanza: str, suite: RepoSuite, *, is_source: bool) -> Iterator[str]:
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
        yield f"is for {architecture}, but suite {suite.name} has {listed}"
    for name in _INDEX_FIELDS:
        if re.search(f"^{name}:", stanza, re.MULTILINE | re.IGNORECASE):
            yield (
                f"has {name} in its control file, and clients would believe it: build it without"
                + ("; --phase sets how many machines upgrade" if name.startswith("Ph") else "")
            )


def _incoming_package(
    stanza: str, origin: Path, copies: Sequence[FileSum], component: str
) -> IncomingPackage:
    name, version = field(stanza, "Package"), field(stanza, "Version")
    match = SOURCE_FIELD.fullmatch(field(stanza, "Source"))
    source = match["name"] if match else name
    initial = match.group() if (match := _LONG_PREFIX.match(source)) else source[:1]
    directory = f"pool/{component}/{initial}/{source}"
    # The package's author may have formatted the field differently, but hadeb reads a list back by
    # this line.
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


def _conflicts(incoming: Sequence[IncomingPackage]) -> Iterator[str]:
    """Packages, or files of the pool, that come twice with different bytes."""
    packages: dict[tuple[str, str, str], IncomingPackage] = {}
    files: dict[str, tuple[PoolFile, IncomingPackage]] = {}
    for package in incoming:
        first = packages.setdefault(package.published.identity, package)
        if first.published.files != package.published.files:
            yield (
                f"{package.origin}: is {package.published}, as is {first.origin}, with other bytes"
            )
            continue
        for file in package.published.files:
            before, other = files.setdefault(file.path, (file, package))
            if before != file:
                name = Path(file.path).name
                yield (
                    f"{package.origin}: has another {name} than {other.origin}, for the same place"
                )
