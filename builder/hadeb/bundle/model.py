# SPDX-License-Identifier: Apache-2.0
"""The bundle: a manifest, and the content of the files that it names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hadeb.manifest.model import Manifest


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file. `path` is relative to the path in the manifest, empty if that is a file."""

    path: str
    content: bytes
    executable: bool


@dataclass(frozen=True, slots=True)
class PythonProject:
    """A daemon's pyproject.toml, and the modules to install.

    `scripts` maps a command to `module:function`. The paths of `modules` are relative to the
    directory on Python's path: `sample_tcp_server/cli.py`.
    """

    name: str
    scripts: Mapping[str, str]
    dependencies: tuple[str, ...]
    requires_python: str
    modules: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that a package is planned from.

    `sources` holds the files at each path that the manifest names. `maintainer` comes from the
    manifest or from the environment. `timestamp` is the time of every file in the package, in
    seconds since 1970.
    """

    manifest: Manifest
    maintainer: str
    timestamp: int
    sources: Mapping[str, tuple[SourceFile, ...]]
    project: PythonProject | None
