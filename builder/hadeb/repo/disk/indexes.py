# SPDX-License-Identifier: Apache-2.0
"""Convert a suite's contents to the index files of a generation, and back. Pure.

manifest.json is the list: package, version, architecture, SHA256. Packages and Sources hold the
stanza of each package, in the order of the manifest. The files depend on the contents alone.
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
    """Packages or Sources: the stanza of each package, with an empty line after each."""
    stanzas = "".join(f"{_stanza(package)}\n\n" for package in packages)
    return stanzas.encode("utf-8", "surrogateescape")


def _stanza(package: Published) -> str:
    if package.phase == 100:
        return package.stanza
    return f"{package.stanza}{_PHASED}{package.phase}"


def manifest(contents: Contents, header: Mapping[str, object]) -> bytes:
    """manifest.json: the header's keys, then a line for each package."""
    head = json.dumps({"format": MANIFEST_FORMAT, **header}, ensure_ascii=False, indent=1)
    lines = ",\n".join(_entry(package) for package in contents.packages)
    return f'{head[:-2]},\n "packages": [\n{lines}\n]}}\n'.encode("utf-8", "surrogateescape")


def _entry(package: Published) -> str:
    """A package's line.

    No value has a character that JSON escapes: debian/names.py, debian/version.py and the options
    of `hadeb publish` allow none. json.dumps would take 15 ms more for 5,000 packages, which is a
    twentieth of a publish (tests/bench/repo_bench.py).
    """
    head = (
        f'{{"component": "{package.component}", "package": "{package.name}", '
        f'"version": "{package.version}", "architecture": "{package.architecture}"'
    )
    if package.architecture == SOURCE:
        tail = f'"files": [{", ".join(f"{{{_file(file)}}}" for file in package.files)}]'
    else:
        (file,) = package.files
        tail = _file(file)
    phase = "" if package.phase == 100 else f', "phase": {package.phase}'
    return f"{head}, {tail}{phase}}}"


def _file(file: PoolFile) -> str:
    return f'"path": "{file.path}", "size": {file.size}, "sha256": "{file.sha256}"'


def read_contents(manifest_text: str, indexes: Mapping[tuple[str, str], str]) -> Contents:
    """Read a generation; `indexes` is the text of each index, by component and architecture.

    Raises HadebError if the manifest and the indexes do not match.
    """
    # A package for all architectures is in each binary index, with the same stanza.
    stanzas = defaultdict[tuple[str, str], list[Iterator[str]]](list)
    for (component, architecture), text in indexes.items():
        listed = iter(text.split("\n\n"))
        for fits in {architecture} if architecture == SOURCE else {architecture, "all"}:
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
        # Only the last line: the package's own control file may have a field of that name.
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
    """A sentence for each stanza that disagrees with the list about its package."""
    return [
        f"the index has {value or 'nothing'} as {name} of {package}, but the list has {wanted}"
        for package in contents.packages
        for name, wanted in _expected_fields(package).items()
        if (value := field(package.stanza, name)) != wanted
    ]


def _expected_fields(package: Published) -> dict[str, str]:
    """The fields that clients rely on."""
    if package.architecture == SOURCE:
        directory = package.files[0].path.rpartition("/")[0]
        return {"Package": package.name, "Version": package.version, "Directory": directory}
    (file,) = package.files
    return {
        "Package": package.name,
        "Version": package.version,
        "Architecture": package.architecture,
        "Filename": file.path,
        "Size": str(file.size),
        "SHA256": file.sha256,
    }
