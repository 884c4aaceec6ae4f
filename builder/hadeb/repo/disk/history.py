# SPDX-License-Identifier: Apache-2.0
"""The history of a suite: who did what, and when. A record outlives its generation."""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass
from typing import Literal

from hadeb.errors import HadebError
from hadeb.files import atomic
from hadeb.repo.disk.layout import Tree

Action = Literal["publish", "promote", "phase", "rollback", "remove", "refresh", "key"]


@dataclass(frozen=True, slots=True)
class Change:
    """A record. `source` is the suite that was promoted from, `restores` the generation rolled
    back to. `date` is ISO 8601 in UTC; `lines` are those of `Difference.lines`.
    """

    generation: int
    date: str
    who: str
    action: Action
    lines: tuple[str, ...]
    source: str | None = None
    restores: int | None = None

    def __str__(self) -> str:
        to = f" to generation {self.restores}" if self.restores else ""
        origin = f" from {self.source}" if self.source else ""
        return f"{self.generation:>4}  {self.date}  {self.who}  {self.action}{origin}{to}"


def stamp(moment: datetime.datetime) -> str:
    """A time in the format of records."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def record(tree: Tree, suite: str, change: Change) -> None:
    """Write a record; call it before the generation is put in force."""
    text = json.dumps(dataclasses.asdict(change), ensure_ascii=False, indent=1)
    path = tree.history(suite) / f"{change.generation}.json"
    atomic.replace(path, f"{text}\n".encode("utf-8", "surrogateescape"))


def changes(tree: Tree, suite: str) -> list[Change]:
    """The records of a suite, oldest first, without generations that were never in force."""
    current = tree.current(suite)
    records = []
    for path in tree.history(suite).glob("*.json"):
        if not path.stem.isdigit() or int(path.stem) > current:
            continue
        try:
            fields = json.loads(path.read_text("utf-8", "surrogateescape"))
            records.append(Change(**{**fields, "lines": tuple(fields["lines"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise HadebError(
                f"{path} is damaged: {error}", hint="remove it; the suite works without the record"
            ) from error
    return sorted(records, key=lambda change: change.generation)


def restored_by(records: list[Change], current: int) -> int | None:
    """The generation that the current one restored; None if it is not from a rollback."""
    for change in records:
        if change.generation == current:
            return change.restores
    return None


def origin_of(records: list[Change], current: int) -> int:
    """The generation that the current list comes from: after a rollback, the restored one.

    The next rollback goes further back from there, and not forward to what the last one left.
    """
    restored = {change.generation: change.restores for change in records}
    base = current
    while (earlier := restored.get(base)) is not None:
        base = earlier
    return base
