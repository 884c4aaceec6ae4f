# SPDX-License-Identifier: Apache-2.0
"""Who did what to a suite, and when: a record a generation, kept when the generation is pruned."""

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
    """A record. `source` is what a promotion came from, `restores` what a rollback went to.

    `date` is ISO 8601 in UTC; `lines` are what changed, as `Difference.lines` has them.
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
    """A moment as records have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def record(tree: Tree, suite: str, change: Change) -> None:
    """Write a record, before its generation is put in force."""
    text = json.dumps(dataclasses.asdict(change), ensure_ascii=False, indent=1)
    path = tree.history(suite) / f"{change.generation}.json"
    atomic.replace(path, f"{text}\n".encode("utf-8", "surrogateescape"))


def changes(tree: Tree, suite: str) -> list[Change]:
    """The records of a suite, oldest first, without what was never put in force."""
    current = tree.current(suite)
    found = []
    for path in tree.history(suite).glob("*.json"):
        if not path.stem.isdigit() or int(path.stem) > current:
            continue
        try:
            fields = json.loads(path.read_text("utf-8", "surrogateescape"))
            found.append(Change(**{**fields, "lines": tuple(fields["lines"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise HadebError(
                f"{path} is damaged: {error}", hint="remove it; the suite does without its record"
            ) from error
    return sorted(found, key=lambda change: change.generation)


def restored_by(records: list[Change], current: int) -> int | None:
    """The generation that the one in force went back to; None where it is no rollback's."""
    for change in records:
        if change.generation == current:
            return change.restores
    return None


def origin_of(records: list[Change], current: int) -> int:
    """The generation whose list is in force: the one that a rollback went back to, if one did.

    A rollback goes further back from there, not forward again to what the last one left.
    """
    restored = {change.generation: change.restores for change in records}
    base = current
    while (earlier := restored.get(base)) is not None:
        base = earlier
    return base
