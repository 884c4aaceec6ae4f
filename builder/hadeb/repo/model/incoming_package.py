# SPDX-License-Identifier: Apache-2.0
"""A package on its way into the pool, and the error that refuses files. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.repo.model.contents import Published


@dataclass(frozen=True, slots=True)
class IncomingPackage:
    """A package that passed the checks.

    `copies` are the copies of its files, in the order of `published.files`; `origin` is the file
    that the user named.
    """

    published: Published
    copies: tuple[Path, ...]
    origin: Path


class FilesRefused(HadebError):
    """Some files cannot be published; nothing was."""

    def __init__(self, faults: Sequence[str]) -> None:
        noun = "file is" if len(faults) == 1 else "files are"
        lines = "".join(f"\n  {fault}" for fault in faults)
        super().__init__(f"{len(faults)} {noun} refused, and the repository is as it was:{lines}")
