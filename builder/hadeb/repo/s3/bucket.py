# SPDX-License-Identifier: Apache-2.0
"""A repository's location in an object store, and how much of it a command needs. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Self

from hadeb.errors import UsageError

SCHEME = "s3://"
_BUCKET = re.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9._~+-]+/)*")


class Reach(enum.Enum):
    """How much of the repository a command needs."""

    NOW = "the current generations"
    PAST = "all generations"
    ALL = "all generations, and files that none of them lists"
    BYTES = "what clients get, down to the bytes of the pool"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and the prefix of the repository's keys in it: empty, or ending with a slash."""

    name: str
    prefix: str

    @classmethod
    def read(cls, url: str) -> Self:
        """Parse `s3://BUCKET/PREFIX`; UsageError if it is not of that form."""
        name, _, rest = url.removeprefix(SCHEME).partition("/")
        prefix = f"{rest.strip('/')}/" if rest.strip("/") else ""
        parts = prefix.split("/")
        if not _BUCKET.fullmatch(name) or not _PREFIX.fullmatch(prefix) or {".", ".."} & {*parts}:
            raise UsageError(
                f"{url} is not a location in an object store",
                hint=f"write {SCHEME}BUCKET or {SCHEME}BUCKET/PREFIX; apt takes prefixes of "
                "letters, digits and . _ ~ + - only",
            )
        return cls(name, prefix)

    def __str__(self) -> str:
        return f"{SCHEME}{self.name}/{self.prefix}".rstrip("/")

    @property
    def last(self) -> str:
        """The last part of the location, like a directory's name."""
        return self.prefix.rstrip("/").rpartition("/")[2] or self.name
