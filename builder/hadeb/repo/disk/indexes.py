# SPDX-License-Identifier: Apache-2.0
"""A suite's contents as the files of a generation, and back again.

manifest.json is the list: package, version, architecture, sha256. The indexes hold the stanza of
each, in the manifest's order. What is in them is a function of the contents alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hadeb.debian.deb822 import field
from hadeb.errors import HadebError
from hadeb.repo.model.contents import SOURCE, Contents, PoolFile, Published
from hadeb.repo.model.repository import RepoSuite

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
_PHASED = "\nPhased-Update-Percentage: "


def index_paths(suite: RepoSuite) -> dict[tuple[str, str], str]:
    """The path of each index below the generation, by component and architecture."""
    paths = {}
    for component in suite.components:
        for architecture in suite.architectures:
            paths[component, architecture] = f"{component}/binary-{architecture}/Packages"
        paths[component, SOURCE] = f"{component}/source/Sources"
    return paths


def indexes_of(suite: RepoSuite, contents: Contents) -> dict[tuple[str, str], bytes]:
    """Each index, by component and architecture."""
    return {key: index(contents.indexed(*key)) for key in index_paths(suite)}


def index(packages: Iterable[Published]) -> bytes:
    """Packages or Sources: a stanza each, an empty line between them."""
    return "".join(f"{_indexed(one)}\n\n" for one in packages).encode("utf-8", "surrogateescape")


def _indexed(one: Published) -> str:
    return one.stanza if one.phase == 100 else f"{one.stanza}{_PHASED}{one.phase}"


def manifest(contents: Contents, heading: Mapping[str, object]) -> bytes:
    """manifest.json: the heading's keys, then a line a package."""
    head = json.dumps({"format": MANIFEST_FORMAT, **heading}, ensure_ascii=False, indent=1)
    lines = ",\n".join(_listed(one) for one in contents.packages)
    return f'{head[:-2]},\n "packages": [\n{lines}\n]}}\n'.encode("utf-8", "surrogateescape")


def _listed(one: Published) -> str:
    """A package's line. No value has a character that JSON escapes: `policy` has none of them.

    `incoming` holds names, versions and files against it, `opening` component and architecture.
    Written by hand, since twenty thousand of them through json.dumps take a tenth of a second.
    """
    head = (
        f'{{"component": "{one.component}", "package": "{one.name}", "version": "{one.version}", '
        f'"architecture": "{one.architecture}"'
    )
    if one.architecture == SOURCE:
        files = ", ".join(f"{{{_file(file)}}}" for file in one.files)
        tail = f'"files": [{files}]'
    else:
        (file,) = one.files
        tail = _file(file)
    phase = "" if one.phase == 100 else f', "phase": {one.phase}'
    return f"{head}, {tail}{phase}}}"


def _file(file: PoolFile) -> str:
    return f'"path": "{file.path}", "size": {file.size}, "sha256": "{file.sha256}"'


def read_contents(manifest_text: str, indexes: Mapping[tuple[str, str], str]) -> Contents:
    """The contents of a generation; `indexes` is what each index holds.

    Raises HadebError where manifest and indexes do not belong together.
    """
    # A package for all architectures stands in each index: the same stanza every time.
    stanzas = defaultdict[tuple[str, str], list[Iterator[str]]](list)
    for (component, architecture), text in indexes.items():
        listed = iter(text.split("\n\n"))
        for fits in {architecture, architecture if architecture == SOURCE else "all"}:
            stanzas[component, fits].append(listed)
    packages = []
    try:
        for entry in json.loads(manifest_text)["packages"]:
            lists = stanzas[entry["component"], entry["architecture"]]
            stanza = next(lists[0])
            for other in lists[1:]:
                next(other)
            packages.append(_read(entry, stanza))
    except (KeyError, ValueError, TypeError, StopIteration, IndexError) as error:
        raise HadebError(f"it is damaged: {error!r}") from error
    return Contents(tuple(packages))


def _read(entry: Mapping[str, Any], stanza: str) -> Published:
    name, version = entry["package"], entry["version"]
    if not stanza.startswith(f"Package: {name}\n"):
        raise ValueError(f"{name} {version} is not where the manifest has it")
    files, phase = entry.get("files", (entry,)), entry.get("phase", 100)
    if phase != 100:
        # At the end alone: what a package itself has under that name is its own.
        if not stanza.endswith(f"{_PHASED}{phase}"):
            raise ValueError(f"{name} {version} does not end with its phase")
        stanza = stanza.removesuffix(f"{_PHASED}{phase}")
    return Published(
        entry["component"],
        name,
        version,
        entry["architecture"],
        stanza,
        tuple([PoolFile(file["path"], file["size"], file["sha256"]) for file in files]),
        phase,
    )


def misfits(contents: Contents) -> list[str]:
    """A sentence for each stanza that does not say of its package what the list says."""
    return [
        f"the index says {has or 'nothing'} as {name} of {one}, and the list {wanted}"
        for one in contents.packages
        for name, wanted in _told(one).items()
        if (has := field(one.stanza, name)) != wanted
    ]


def _told(one: Published) -> dict[str, str]:
    """What a client that takes its word from the index relies on."""
    if one.architecture == SOURCE:
        directory = one.files[0].path.rpartition("/")[0]
        return {"Package": one.name, "Version": one.version, "Directory": directory}
    (file,) = one.files
    return {
        "Package": one.name,
        "Version": one.version,
        "Architecture": one.architecture,
        "Filename": file.path,
        "Size": str(file.size),
        "SHA256": file.sha256,
    }
