# SPDX-License-Identifier: Apache-2.0
"""The bundle: a manifest together with the content of the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hadeb.manifest.model import Manifest


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on the developer's disk; `path` is relative to what named it, empty for itself."""

    path: str
    content: bytes
    executable: bool


@dataclass(frozen=True, slots=True)
class PythonProject:
    """What a daemon's pyproject.toml says, and the modules to install.

    `scripts` maps a command to `module:function`; `modules` are relative to the directory that
    goes on Python's path: `sample_tcp_server/cli.py`.
    """

    name: str
    scripts: Mapping[str, str]
    dependencies: tuple[str, ...]
    requires_python: str
    modules: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that a package is planned from.

    `sources` holds, for each path that the manifest names, the files found there.
    `maintainer` is the manifest's, or the one of the environment. `timestamp` is the time that
    every file gets, in seconds since 1970.
    """

    manifest: Manifest
    maintainer: str
    timestamp: int
    sources: Mapping[str, tuple[SourceFile, ...]]
    project: PythonProject | None
