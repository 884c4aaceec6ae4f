# SPDX-License-Identifier: Apache-2.0
"""Read a bundle from disk: the manifest and every file that it names."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hadeb.bundle.model import Bundle, PythonProject, SourceFile
from hadeb.bundle.python_project import (
    debian_dependencies,
    import_name,
    missing_modules,
    read_project,
)
from hadeb.context import Context
from hadeb.debian.dates import utc
from hadeb.errors import Fault, ManifestError
from hadeb.manifest.model import DaemonTable, Manifest
from hadeb.manifest.parse import ManifestText, check, parse
from hadeb.manifest.reader import Found, Reading
from hadeb.manifest.toml_lines import KeyPath
from hadeb.manifest.values import maintainer_refusal, source_refusal

_NOTHING = (SourceFile("", b"", executable=False),)
# What tools and machines leave beside a project's sources.
_LEFTOVERS = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """A manifest's text, to find lines in later; its bundle; and every fault of both.

    The bundle is there where the manifest by itself is right, to look for more faults in; with any
    fault it is not to be built.
    """

    text: ManifestText
    bundle: Bundle | None
    faults: Sequence[Fault]


def load(path: Path, context: Context) -> Loaded:
    """The bundle of the manifest at `path`; ManifestError where it is no TOML that can be read."""
    text, root = _manifest_text(path, context)
    reading, found = check(text)
    # Keys too many do not hinder; what contradicts, or is no value, does.
    manifest = reading.value if len(found) == len(reading.unknown) else None
    sources, unreadable = _read_sources(root, text.document)
    found.extend(unreadable)
    project, project_faults, more = _load_project(root, reading, context)
    found.extend(more)
    maintainer = ""
    if reading.tells("package", "maintainer"):
        maintainer, unknown = _maintainer(reading.value, context)
        found.extend(unknown)
    bundle = None
    if manifest:
        bundle = Bundle(manifest, maintainer, _timestamp(manifest, context), sources, project)
    return Loaded(text, bundle, [*text.at(found), *project_faults])


def _manifest_text(path: Path, context: Context) -> tuple[ManifestText, Path]:
    """The manifest's text, and the directory that its paths start from."""
    try:
        path = path / "bundle.toml" if path.is_dir() else path
        text = parse(_display(path, context.directory), path.read_bytes())
    except OSError as error:
        file = _display(path, context.directory)
        raise ManifestError([Fault(file, 0, "", _why(error, "manifest"))]) from error
    if text.faults:
        raise ManifestError(text.faults)
    return text, path.parent


def _maintainer(manifest: Manifest, context: Context) -> tuple[str, list[Found]]:
    """The manifest's maintainer, or the environment's."""
    key: KeyPath = ("package", "maintainer")
    maintainer = manifest.package.maintainer or context.maintainer
    if not maintainer:
        return "", [(key, "is missing; write it, or set DEBFULLNAME and DEBEMAIL")]
    # What is no UTF-8 in the environment is not printable here.
    if refusal := maintainer_refusal(maintainer):
        return "", [(key, f"is missing, and from DEBFULLNAME and DEBEMAIL {refusal}")]
    if not maintainer.isprintable():
        return "", [(key, "is missing, and DEBFULLNAME and DEBEMAIL are not UTF-8 text")]
    return maintainer, []


def _read_sources(
    root: Path, document: dict[str, object]
) -> tuple[dict[str, tuple[SourceFile, ...]], list[Found]]:
    """The content of every file that the manifest names, and what is wrong with them.

    Each key but `file`, where there may be none, has a file, be it an empty one.
    """
    sources: dict[str, tuple[SourceFile, ...]] = {}
    found: list[Found] = []
    for key, source in _named_sources(document):
        try:
            files = tuple(_read_tree(root / source))
        except OSError as error:
            found.append((key, f"{_named(error, root)!r} {_why(error, 'file')}"))
            files = ()
        else:
            found.extend(_unusable(root, key, source, files))
        sources[source] = files or sources.get(source, ()) or (() if key[0] == "file" else _NOTHING)
    return sources, found


def _unusable(
    root: Path, key: KeyPath, source: str, files: tuple[SourceFile, ...]
) -> Iterator[Found]:
    """Why what was read cannot be what it is to be."""
    yield from _unusable_names(key, files)
    if key[0] != "file" and (root / source).is_dir():
        yield key, f"{source!r} is a directory; name a file"
    elif not files:
        yield key, f"{source!r} holds no file; a package's directories come with files"
    elif refusal := _content_refusal(key, files[0].content):
        yield key, f"{source!r} {refusal}"


def _content_refusal(key: KeyPath, content: bytes) -> str | None:
    """Why a file cannot be what it is to be."""
    if key == ("package", "license-file"):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return "is not UTF-8 text"
    if key[0] not in ("agent", "daemon"):
        return None
    first, newline, _ = content.partition(b"\n")
    if key[0] == "agent" and not first.startswith(b"#!"):
        return "does not begin with #! and an interpreter"
    if first.startswith(b"#!") and not first[2:].strip():
        return "names no interpreter after #!"
    if first.startswith(b"#!") and newline and first.endswith(b"\r"):
        return "has the line endings of Windows, with which no interpreter is found; run dos2unix"
    return None


def _display(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)


def _named(error: OSError, root: Path) -> str:
    return os.path.relpath(error.filename, root)


def _why(error: OSError, what: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"does not exist; name an existing {what}"
    return f"cannot be read: {error.strerror}"


def _unusable_names(key: KeyPath, files: Iterable[SourceFile]) -> Iterator[Found]:
    """A name that a line of DEBIAN/md5sums cannot hold, or that is no UTF-8."""
    for file in files:
        if not file.path.isprintable():
            yield key, f"brings {file.path!r}, which is no printable name"


def _timestamp(manifest: Manifest, context: Context) -> int:
    """The time of the package's files: SOURCE_DATE_EPOCH, else the newest change's date (UTC)."""
    if context.source_date_epoch is not None:
        return context.source_date_epoch
    return max(0, int(utc(manifest.changelog[0].date).timestamp()))


def _named_sources(document: dict[str, object]) -> Iterator[tuple[KeyPath, str]]:
    """Every file that a manifest names, found without trusting the manifest's other keys."""
    named: list[tuple[KeyPath, object]] = []
    for table in ("agent", "file"):
        entries = document.get(table)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            named.append(((table, index, "source"), _value(entry, "source")))
    named.append((("package", "license-file"), _value(document.get("package"), "license-file")))
    for table, key in (("package", "manpages"), ("daemon", "executables")):
        listed = _value(document.get(table), key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            named.append(((table, key, index), item))
    for path, value in named:
        # What is no path at all has its own fault already.
        if isinstance(value, str) and not source_refusal(value):
            yield path, value


def _value(table: object, key: str) -> object:
    return table.get(key) if isinstance(table, dict) else None


def _read_tree(path: Path) -> Iterator[SourceFile]:
    if not path.is_dir():
        yield _read_file(path, "")
        return
    for directory, below, names in os.walk(path, onerror=_raise):
        below[:] = sorted(set(below) - _LEFTOVERS)
        for name in below:
            if Path(directory, name).is_symlink():
                raise OSError(errno.EINVAL, "is a link to a directory", str(Path(directory, name)))
        for name in sorted(set(names) - _LEFTOVERS):
            if not name.endswith(".pyc"):
                file = Path(directory, name)
                yield _read_file(file, str(file.relative_to(path)))


def _raise(error: OSError) -> None:
    raise error


def _read_file(path: Path, relative: str) -> SourceFile:
    mode = path.stat().st_mode
    # Reading a pipe or a device might never end.
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        # A disk that fails while it is read does not say which file it was.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except MemoryError as error:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(path)) from error
    return SourceFile(relative, content, executable=bool(mode & stat.S_IXUSR))


def _load_project(
    root: Path, reading: Reading[Manifest], context: Context
) -> tuple[PythonProject | None, list[Fault], list[Found]]:
    """The Python project, the faults of its own files, and the faults of what names it."""
    daemon = reading.value.daemon if reading.tells("daemon") else None
    if not daemon or not daemon.python:
        return None, [], []
    directory = root / daemon.python
    path = directory / "pyproject.toml"
    key: KeyPath = ("daemon", "python")
    try:
        text = parse(_display(path, context.directory), path.read_bytes())
    except OSError as error:
        return None, [], [(key, f"'{daemon.python}/pyproject.toml' {_why(error, 'project')}")]
    if text.faults:
        return None, list(text.faults), []
    project, found = read_project(text.document)
    if not project:
        return None, text.at(found), []
    try:
        trees, missing = _import_packages(directory, daemon, project.name)
        modules = tuple(module for tree in trees for module in _read_package(tree))
    except OSError as error:
        return None, text.at(found), [(key, f"{_named(error, root)!r} {_why(error, 'file')}")]
    whole = dataclasses.replace(project, modules=modules)
    if not missing:
        found.extend(missing_modules(whole))
    missing.extend(_unusable_names(key, modules))
    if reading.tells("relations"):
        missing.extend(debian_dependencies(reading.value, project))
    return whole, text.at(found), missing


def _import_packages(
    directory: Path, daemon: DaemonTable, name: str
) -> tuple[list[Path], list[Found]]:
    if not daemon.packages:
        expected = import_name(name)
        for parent in (directory / "src", directory):
            for found in (parent / expected, parent / f"{expected}.py"):
                if found.exists():
                    return [found], []
        places = "in src/ or beside pyproject.toml; name it in packages"
        sentence = f"{daemon.python!r} has no import package {expected!r} {places}"
        return [], [(("daemon", "python"), sentence)]
    chosen = [directory / package for package in daemon.packages]
    missing: list[Found] = [
        (("daemon", "packages", index), f"{str(path.relative_to(directory))!r} does not exist")
        for index, path in enumerate(chosen)
        if not path.exists()
    ]
    return [path for path in chosen if path.exists()], missing


def _read_package(path: Path) -> Iterator[SourceFile]:
    for file in _read_tree(path):
        relative = f"{path.name}/{file.path}" if file.path else path.name
        # Modules are imported, never run; an execute bit on one is an accident.
        yield SourceFile(relative, file.content, executable=False)
