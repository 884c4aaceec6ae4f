# SPDX-License-Identifier: Apache-2.0
"""What a repository in an object store says of itself to those who write it. Pure.

state.json is the one truth among writers: everything it names is in the store before it is
written, and it is written only where nobody else has written it since it was read.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from hadeb.errors import HadebError

STATE = ".hadeb/state.json"
FORMAT = 1
# The name of such an object is never given to other bytes.
_FOR_GOOD = "public, max-age=31536000, immutable"
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
class Kept:
    """A generation: the object with its files, and when it was made, in seconds since 1970."""

    pack: str
    time: float


@dataclass(frozen=True, slots=True)
class State:
    """What is in force. `files` are those below .hadeb/, `generations` those of each suite.

    `serial` counts the changes, and `token` is whose the last one was, so that no state is ever
    there twice. `leaving` are the paths that a prune removes at this moment, or was killed over.
    """

    serial: int = 0
    token: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    generations: Mapping[str, Mapping[int, Kept]] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()

    def write(self) -> bytes:
        """The state as JSON."""
        return (
            json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1) + "\n"
        ).encode()

    def packs(self) -> set[str]:
        """The objects that hold generations."""
        return {kept.pack for suite in self.generations.values() for kept in suite.values()}


def read_state(content: bytes, place: str) -> State:
    """The state that `State.write` wrote; HadebError where it is another's."""
    try:
        fields = json.loads(content)
        if fields["format"] != FORMAT:
            raise HadebError(
                f"{place} was written by another release of hadeb",
                hint="use that release, or newer",
            )
        return State(
            serial=int(fields["serial"]),
            token=str(fields["token"]),
            files={below(path): str(text) for path, text in fields["files"].items()},
            generations={
                below(suite): {
                    int(number): Kept(below(kept["pack"]), float(kept["time"]))
                    for number, kept in numbers.items()
                }
                for suite, numbers in fields["generations"].items()
            },
            leaving=tuple(map(below, fields["leaving"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HadebError(
            f"{place} is damaged: {error!r}", hint="put it back from an older version of the object"
        ) from error


def below(path: str) -> str:
    """A path that stays below where it is put; ValueError where it does not."""
    if {"", ".", ".."} & {*path.split("/")}:
        raise ValueError(path)
    return path


def headers(path: str) -> dict[str, str]:
    """How an object is served: its type, and for how long whoever has it need not ask again."""
    name = path.rpartition("/")[2]
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    if name in _TEXTS:
        kind = "text/plain; charset=utf-8"
    elif "/by-hash/" in path:
        kind = _TYPES[".gz"]
    else:
        kind = _TYPES.get(suffix, "application/octet-stream")
    for_good = path.startswith("pool/") or "/by-hash/" in path
    return {"ContentType": kind, "CacheControl": _FOR_GOOD if for_good else "no-cache"}
