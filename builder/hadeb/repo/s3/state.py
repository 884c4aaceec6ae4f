# SPDX-License-Identifier: Apache-2.0
"""The state of a repository in an object store, which all publishers share. Pure.

state.json is the single source of truth among publishers. Everything it names is in the store
before it is written, and it is written only if nobody else has written it since it was read.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from hadeb.errors import HadebError

STATE = ".hadeb/state.json"
FORMAT = 1
# For objects whose bytes never change.
_IMMUTABLE = "public, max-age=31536000, immutable"
_TYPES = {
    ".asc": "text/plain; charset=utf-8",
    ".deb": "application/vnd.debian.binary-package",
    ".gpg": "text/plain; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".pgp": "application/pgp-keys",
    ".pref": "text/plain; charset=utf-8",
    ".sh": "text/plain; charset=utf-8",
    ".sources": "text/plain; charset=utf-8",
}
_TEXTS = {"InRelease", "Release"}


@dataclass(frozen=True, slots=True)
class StoredGeneration:
    """A generation: the object with its files, and when it was made, in seconds since 1970."""

    pack: str
    time: float


@dataclass(frozen=True, slots=True)
class State:
    """What is in force. `files` are those below .hadeb/, `generations` those of each suite.

    `serial` counts the changes and `token` marks the last one, so no two states are equal.
    `leaving` are the paths that a prune is removing, or was removing when it was killed.
    """

    serial: int = 0
    token: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    generations: Mapping[str, Mapping[int, StoredGeneration]] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()

    def write(self) -> bytes:
        """The state as JSON."""
        return (
            json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1) + "\n"
        ).encode()

    def packs(self) -> set[str]:
        """The objects that hold generations."""
        return {stored.pack for suite in self.generations.values() for stored in suite.values()}


def read_state(content: bytes, place: str) -> State:
    """Parse what `State.write` wrote; HadebError if it is damaged or of another format."""
    try:
        fields = json.loads(content)
        if fields["format"] != FORMAT:
            raise HadebError(
                f"{place} has the format of another release of hadeb",
                hint="use that release or a newer one",
            )
        return State(
            serial=int(fields["serial"]),
            token=str(fields["token"]),
            files={below(path): str(text) for path, text in fields["files"].items()},
            generations={
                below(suite): {
                    int(number): StoredGeneration(below(stored["pack"]), float(stored["time"]))
                    for number, stored in numbers.items()
                }
                for suite, numbers in fields["generations"].items()
            },
            leaving=tuple(map(below, fields["leaving"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HadebError(
            f"{place} is damaged: {error!r}", hint="restore it from an older version of the object"
        ) from error


def below(path: str) -> str:
    """The path itself; ValueError if it could lead out of the directory it is joined to."""
    if {"", ".", ".."} & {*path.split("/")}:
        raise ValueError(path)
    return path


def headers(path: str) -> dict[str, str]:
    """The HTTP headers of an object: its type, and how long caches may keep it."""
    name = path.rpartition("/")[2]
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    if name in _TEXTS:
        kind = "text/plain; charset=utf-8"
    elif "/by-hash/" in path:
        kind = _TYPES[".gz"]
    else:
        kind = _TYPES.get(suffix, "application/octet-stream")
    immutable = path.startswith("pool/") or "/by-hash/" in path
    return {"ContentType": kind, "CacheControl": _IMMUTABLE if immutable else "no-cache"}
