# SPDX-License-Identifier: Apache-2.0
"""Read tables of a TOML document into frozen dataclasses. Pure.

`read` goes through the whole document and reports every problem; it never stops at the first.
hadeb.manifest.hints says which types a field may have, and which key it has.
"""

from __future__ import annotations

import dataclasses
import datetime
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from hadeb.manifest.constraints import AtLeastOne, Between, Text
from hadeb.manifest.hints import Choice, ListOf, MapOf, Scalar, Table, Type, fields_of
from hadeb.manifest.toml_lines import KeyPath

T = TypeVar("T")
# What is wrong with a document: the path of the key, and the sentence that follows it.
Problem = tuple[KeyPath, str]

_NAMES = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A document as a value, and what is wrong with it.

    Where `problems` has an entry, the value holds a placeholder. Unknown keys are left out of the
    value and do no other harm.
    """

    value: T
    problems: Sequence[Problem]
    unknown_keys: Sequence[Problem]

    @property
    def complete(self) -> T | None:
        """The value, if nothing in it is a placeholder."""
        return None if self.problems else self.value

    def is_valid(self, *path: str | int) -> bool:
        """Whether the value at `path` is as the document has it, with no problem at or below it."""
        return not any(_overlap(path, problem) for problem, _ in self.problems)


def _overlap(path: KeyPath, other: KeyPath) -> bool:
    """Whether one of two paths begins with the other."""
    depth = min(len(path), len(other))
    return path[:depth] == other[:depth]


def read(table: type[T], document: Mapping[str, object]) -> Reading[T]:
    """Make a `table` of a parsed TOML document, with every problem in it."""
    reader = _Reader()
    value = cast("T", reader.table(table, document, ()))
    return Reading(value, reader.problems, reader.unknown_keys)


class _Reader:
    """One pass over a document. After a problem, what a method returns is a placeholder."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unknown_keys: list[Problem] = []

    def value(self, kind: Type, value: object, path: KeyPath) -> object:
        before = len(self.problems)
        result = self.shaped(kind, value, path)
        if len(self.problems) == before:
            self.check(kind.constraints, result, path)
        return result

    def shaped(self, kind: Type, value: object, path: KeyPath) -> object:
        match kind.shape:
            case Table(table):
                return self.table(table, value, path)
            case Choice(values):
                return self.choice(values, value, path)
            case ListOf(item):
                return self.items(item, value, path)
            case MapOf(key, inner):
                return self.mapping(key, inner, value, path)
            case Scalar(choices):
                if not isinstance(value, choices) or (
                    choices == (int,) and isinstance(value, bool)
                ):
                    sentence = f"must be {_name(choices[0])}, not {_show(value)}"
                    self.problems.append((path, sentence))
                return value

    def check(self, constraints: Iterable[object], value: object, path: KeyPath) -> None:
        for constraint in constraints:
            match constraint, value:
                case Text(), str() if refusal := constraint.refusal(value):
                    self.problems.append((path, refusal))
                case Between(low, high), int() if not low <= value <= high:
                    sentence = f"must be between {low} and {high}, not {_show(value)}"
                    self.problems.append((path, sentence))
                case AtLeastOne(), ():
                    self.problems.append((path, "must hold at least one entry"))

    def table(self, table: Any, value: object, path: KeyPath) -> object:
        if not isinstance(value, dict):
            self.problems.append((path, f"must be a table, not {_show(value)}"))
            return None
        fields = {field.key: field for field in fields_of(table)}
        for name in value.keys() - fields.keys():
            self.unknown_keys.append(((*path, name), f"unknown key ({suggestion(name, fields)})"))
        arguments: dict[str, object] = {}
        for name, field in fields.items():
            if name in value:
                arguments[field.name] = self.value(field.type, value[name], (*path, name))
            elif field.required:
                remedy = _remedy(field.type, (*path, name))
                self.problems.append(((*path, name), f"is missing{remedy}"))
                arguments[field.name] = None
        return table(**arguments)

    def choice(self, values: tuple[object, ...], value: object, path: KeyPath) -> object:
        if value not in values:
            allowed = ", ".join(f"'{allowed}'" for allowed in values)
            self.problems.append((path, f"must be one of {allowed}, not {_show(value)}"))
        return value

    def items(self, item: Type, value: object, path: KeyPath) -> tuple[object, ...]:
        if not isinstance(value, list):
            self.problems.append((path, f"must be a list, not {_show(value)}"))
            return ()
        return tuple(self.value(item, each, (*path, index)) for index, each in enumerate(value))

    def mapping(self, key: Type, inner: Type, value: object, path: KeyPath) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self.problems.append((path, f"must be a table, not {_show(value)}"))
            return {}
        for name in value:
            self.value(key, name, (*path, name))
        items = {name: self.value(inner, item, (*path, name)) for name, item in value.items()}
        return types.MappingProxyType(items)


def _remedy(kind: Type, path: KeyPath) -> str:
    name = ".".join(part for part in path if isinstance(part, str))
    match kind.shape:
        case ListOf(Type(shape=Table())):
            return f"; begin one with [[{name}]]"
        case Table():
            return f"; begin it with [{name}]"
    return ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The known name that an unknown one is close to, or all known ones."""
    # Only a wrong manifest needs it, and tests/bench/build_bench.py would see the import.
    from difflib import get_close_matches

    plain = {each.lower().replace("_", "-"): each for each in known}
    close = get_close_matches(name.lower().replace("_", "-"), plain, n=1)
    if close:
        return f"did you mean '{plain[close[0]]}'?"
    return f"known are {', '.join(sorted(plain.values()))}"


def is_close(name: str, known: str) -> bool:
    """Whether a name is probably another one with a mistake in it."""
    from difflib import get_close_matches

    return bool(get_close_matches(name, [known], cutoff=0.8))


def _name(kind: type) -> str:
    if issubclass(kind, datetime.date):
        return "a date such as 2026-01-31"
    return _NAMES[kind]


def _show(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value[:40]!r}"
        case dict():
            return "a table"
        case list():
            return "a list"
        case int() if abs(value) >= 10**20:
            return "a number of more than 20 digits"
        case _:
            return str(value)
