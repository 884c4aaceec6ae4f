# SPDX-License-Identifier: Apache-2.0
"""Read a bundle from disk: the manifest and every file that it names."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hadeb.bundle.agents import Agent, read_agent
from hadeb.bundle.model import Bundle, PythonProject, SourceFile
from hadeb.bundle.python_project import (
    debian_dependencies,
    import_name,
    missing_modules,
    read_project,
)
from hadeb.context import Context
from hadeb.debian.dates import utc
from hadeb.errors import Finding, ManifestError
from hadeb.manifest.model import DaemonTable, Manifest
from hadeb.manifest.parse import ManifestText, check, parse
from hadeb.manifest.reader import Problem, Reading
from hadeb.manifest.toml_lines import KeyPath
from hadeb.manifest.values import maintainer_refusal, source_refusal

_NOTHING = (SourceFile("", b"", executable=False),)
# What tools leave beside a project's sources.
_LEFTOVERS = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """A manifest's text, which later findings need for their lines, its bundle, and all findings.

    There is a bundle whenever the manifest by itself is valid, so that planning it can find more.
    It must not be built if there is any finding. `agents` are the bundle's own.
    """

    text: ManifestText
    bundle: Bundle | None
    findings: Sequence[Finding]
    agents: Sequence[Agent]


def load(path: Path, context: Context) -> Loaded:
    """The bundle of the manifest at `path`; ManifestError if it is not TOML that can be read."""
    text, root = _manifest_text(path, context)
    reading, problems = check(text)
    # Unknown keys do no harm; contradictions and invalid values do.
    manifest = reading.value if len(problems) == len(reading.unknown_keys) else None
    sources, unreadable = _read_sources(root, text.document)
    problems.extend(unreadable)
    project, project_findings, more = _load_project(root, reading, context)
    problems.extend(more)
    maintainer = ""
    if reading.is_valid("package", "maintainer"):
        maintainer, unknown = _maintainer(reading.value, context)
        problems.extend(unknown)
    bundle = None
    if manifest:
        bundle = Bundle(manifest, maintainer, _timestamp(manifest, context), sources, project)
    agents, agent_findings = _read_agents(root, reading, sources, context)
    findings = [*text.at(problems), *project_findings, *agent_findings]
    return Loaded(text, bundle, findings, agents)


def _manifest_text(path: Path, context: Context) -> tuple[ManifestText, Path]:
    """The manifest's text, and the directory that its paths start from."""
    try:
        path = path / "bundle.toml" if path.is_dir() else path
        text = parse(_display(path, context.directory), path.read_bytes())
    except OSError as error:
        file = _display(path, context.directory)
        raise ManifestError([Finding(file, 0, "", _why(error, "manifest"))]) from error
    if text.findings:
        raise ManifestError(text.findings)
    return text, path.parent


def _maintainer(manifest: Manifest, context: Context) -> tuple[str, list[Problem]]:
    """The manifest's maintainer, or the environment's."""
    key: KeyPath = ("package", "maintainer")
    maintainer = manifest.package.maintainer or context.maintainer
    if not maintainer:
        return "", [(key, "is missing; write it, or set DEBFULLNAME and DEBEMAIL")]
    # Bytes of the environment that are not UTF-8 are not printable here.
    if refusal := maintainer_refusal(maintainer):
        return "", [(key, f"is missing, and from DEBFULLNAME and DEBEMAIL {refusal}")]
    if not maintainer.isprintable():
        return "", [(key, "is missing, and DEBFULLNAME and DEBEMAIL are not UTF-8 text")]
    return maintainer, []


def _read_sources(
    root: Path, document: dict[str, object]
) -> tuple[dict[str, tuple[SourceFile, ...]], list[Problem]]:
    """The content of every file that the manifest names, and what is wrong with the files.

    Every key except `file` has at least one file, if only an empty placeholder.
    """
    sources: dict[str, tuple[SourceFile, ...]] = {}
    problems: list[Problem] = []
    for key, source in _named_sources(document):
        try:
            files = tuple(_read_tree(root / source))
        except OSError as error:
            problems.append((key, f"{_named(error, root)!r} {_why(error, 'file')}"))
            files = ()
        else:
            problems.extend(_unusable(root, key, source, files))
        sources[source] = files or sources.get(source, ()) or (() if key[0] == "file" else _NOTHING)
    return sources, problems


def _unusable(
    root: Path, key: KeyPath, source: str, files: tuple[SourceFile, ...]
) -> Iterator[Problem]:
    """The reasons why files cannot be what the key says they are."""
    yield from _unusable_names(key, files)
    if key[0] != "file" and (root / source).is_dir():
        yield key, f"{source!r} is a directory; name a file"
    elif not files:
        yield key, f"{source!r} holds no file; a package's directories come with files"
    elif refusal := _content_refusal(key, files[0].content):
        yield key, f"{source!r} {refusal}"


def _content_refusal(key: KeyPath, content: bytes) -> str | None:
    """Why a file's content does not fit its key, None if it does."""
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
        return "has Windows line endings, with which the kernel finds no interpreter; run dos2unix"
    return None


def _read_agents(
    root: Path,
    reading: Reading[Manifest],
    sources: dict[str, tuple[SourceFile, ...]],
    context: Context,
) -> tuple[list[Agent], list[Finding]]:
    """The agents that can be read, and what is wrong with them."""
    agents: list[Agent] = []
    findings: list[Finding] = []
    if not reading.is_valid("agent"):
        return agents, findings
    depends = reading.value.relations.depends if reading.is_valid("relations") else ()
    for table in reading.value.agent:
        file = _display(root / table.source, context.directory)
        agent, wrong = read_agent(table, file, sources[table.source][0].content, depends)
        agents.append(agent)
        findings.extend(wrong)
    return agents, findings


def _display(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)


def _named(error: OSError, root: Path) -> str:
    return os.path.relpath(error.filename, root)


def _why(error: OSError, what: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"does not exist; name an existing {what}"
    return f"cannot be read: {error.strerror}"


def _unusable_names(key: KeyPath, files: Iterable[SourceFile]) -> Iterator[Problem]:
    """Names that a line of DEBIAN/md5sums cannot hold, or that are not UTF-8."""
    for file in files:
        if not file.path.isprintable():
            yield key, f"holds {file.path!r}, which is not a printable name"


def _timestamp(manifest: Manifest, context: Context) -> int:
    """The time of the package's files: SOURCE_DATE_EPOCH, or the date of the newest version."""
    if context.source_date_epoch is not None:
        return context.source_date_epoch
    return max(0, int(utc(manifest.changelog[0].date).timestamp()))


def _named_sources(document: dict[str, object]) -> Iterator[tuple[KeyPath, str]]:
    """Every file that a manifest names, whatever is wrong with its other keys."""
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
        # A value that is not a path is reported already.
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
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        # A disk that fails in the middle of a file does not name the file.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except MemoryError as error:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(path)) from error
    return SourceFile(relative, content, executable=bool(mode & stat.S_IXUSR))


def _load_project(
    root: Path, reading: Reading[Manifest], context: Context
) -> tuple[PythonProject | None, list[Finding], list[Problem]]:
    """The Python project, the findings in its own files, and what is wrong in the manifest."""
    daemon = reading.value.daemon if reading.is_valid("daemon") else None
    if not daemon or not daemon.python:
        return None, [], []
    directory = root / daemon.python
    path = directory / "pyproject.toml"
    key: KeyPath = ("daemon", "python")
    try:
        text = parse(_display(path, context.directory), path.read_bytes())
    except OSError as error:
        return None, [], [(key, f"'{daemon.python}/pyproject.toml' {_why(error, 'project')}")]
    if text.findings:
        return None, list(text.findings), []
    project, problems = read_project(text.document)
    if not project:
        return None, text.at(problems), []
    try:
        trees, missing = _import_packages(directory, daemon, project.name)
        modules = tuple(module for tree in trees for module in _read_package(tree))
    except OSError as error:
        return None, text.at(problems), [(key, f"{_named(error, root)!r} {_why(error, 'file')}")]
    whole = dataclasses.replace(project, modules=modules)
    if not missing:
        problems.extend(missing_modules(whole))
    missing.extend(_unusable_names(key, modules))
    if reading.is_valid("relations"):
        missing.extend(debian_dependencies(reading.value, project))
    return whole, text.at(problems), missing


def _import_packages(
    directory: Path, daemon: DaemonTable, name: str
) -> tuple[list[Path], list[Problem]]:
    if not daemon.packages:
        expected = import_name(name)
        for parent in (directory / "src", directory):
            for path in (parent / expected, parent / f"{expected}.py"):
                if path.exists():
                    return [path], []
        places = "in src/ or beside pyproject.toml; name it in packages"
        sentence = f"{daemon.python!r} has no import package {expected!r} {places}"
        return [], [(("daemon", "python"), sentence)]
    chosen = [directory / package for package in daemon.packages]
    missing: list[Problem] = [
        (("daemon", "packages", index), f"{str(path.relative_to(directory))!r} does not exist")
        for index, path in enumerate(chosen)
        if not path.exists()
    ]
    return [path for path in chosen if path.exists()], missing


def _read_package(path: Path) -> Iterator[SourceFile]:
    for file in _read_tree(path):
        relative = f"{path.name}/{file.path}" if file.path else path.name
        # Modules are imported, never run, so an execute bit on one is an accident.
        yield SourceFile(relative, file.content, executable=False)
