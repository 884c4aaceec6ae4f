# SPDX-License-Identifier: Apache-2.0
"""Run apt-ftparchive(1) with SHA256 as the only hash; no supported apt needs another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hadeb.run import run

_NO_HASHES = ("MD5", "SHA1", "SHA512")


def ftparchive(
    command: str,
    directory: Path,
    settings: Mapping[str, str] | None = None,
    timeout: float | None = 60.0,
) -> str:
    """The output of a command for a directory; `settings` are below APT::FTPArchive."""
    options = [f"{name}={value}" for name, value in (settings or {}).items()]
    options += [f"{name}=no" for name in _NO_HASHES]
    written = [word for option in options for word in ("-o", f"APT::FTPArchive::{option}")]
    return run(("apt-ftparchive", *written, command, "."), cwd=directory, timeout=timeout).stdout
