# SPDX-License-Identifier: Apache-2.0
"""A repository's place in an object store, and how much of it a command looks at. Pure."""

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
    """How much of the repository a command looks at."""

    NOW = "the generations in force"
    PAST = "all generations"
    ALL = "all generations, and files that none of them names"
    BYTES = "what clients get, down to the bytes of the pool"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and the prefix of a repository's keys in it: empty, or with a slash at its end."""

    name: str
    prefix: str

    @classmethod
    def read(cls, url: str) -> Self:
        """The place that `s3://BUCKET/PREFIX` names; UsageError where it names none."""
        name, _, rest = url.removeprefix(SCHEME).partition("/")
        prefix = f"{rest.strip('/')}/" if rest.strip("/") else ""
        parts = prefix.split("/")
        if not _BUCKET.fullmatch(name) or not _PREFIX.fullmatch(prefix) or {".", ".."} & {*parts}:
            raise UsageError(
                f"{url} names no place in an object store",
                hint=f"as in {SCHEME}BUCKET or {SCHEME}BUCKET/PREFIX; apt's URLs want letters, "
                "digits and . _ ~ + - in a prefix",
            )
        return cls(name, prefix)

    def __str__(self) -> str:
        return f"{SCHEME}{self.name}/{self.prefix}".rstrip("/")

    @property
    def last(self) -> str:
        """The last word of it, as a directory would be called."""
        return self.prefix.rstrip("/").rpartition("/")[2] or self.name
