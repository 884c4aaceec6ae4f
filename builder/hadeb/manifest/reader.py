# SPDX-License-Identifier: Apache-2.0
"""Frozen dataclasses as tables of a TOML document: from plain data to values.

`read` goes through the whole document and collects every fault; it never stops at the first.
A type may be a dataclass, `str`, `int`, `bool`, a date, `Literal`, `X | None`, `tuple[X, ...]`,
`Mapping[str, X]`, or one of these `Annotated` with the constraints of `hadeb.values`.
Keys are field names with dashes for underscores; one at the end, as in `with_`, is dropped.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from hadeb.manifest.constraints import AtLeastOne, Between, Text
from hadeb.manifest.toml_lines import KeyPath

T = TypeVar("T")
Found = tuple[KeyPath, str]

_CALLED = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a document says, as far as it can be read.

    Where it is `wrong`, the value has a place holder. `unknown` are keys that it has too much.
    """

    value: T
    wrong: Sequence[Found]
    unknown: Sequence[Found]

    @property
    def whole(self) -> T | None:
        """The value where all of it is as the document says."""
        return None if self.wrong else self.value

    def tells(self, *path: str | int) -> bool:
        """Whether the value at `path` is as the document says: nothing is wrong on it or in it."""
        return not any(_meet(path, fault) for fault, _ in self.wrong)


def _meet(path: KeyPath, other: KeyPath) -> bool:
    """Whether one of two paths leads to the other."""
    depth = min(len(path), len(other))
    return path[:depth] == other[:depth]


def read(table: type[T], document: Mapping[str, object]) -> Reading[T]:
    """Make a `table` of a parsed TOML document, with every fault as (path, sentence)."""
    reader = _Reader()
    value = cast("T", reader.table(table, document, ()))
    return Reading(value, reader.faults, reader.unknown)


@functools.cache
def hints(table: type) -> dict[str, Any]:
    """The types of a table's fields with their constraints, by field name."""
    return get_type_hints(table, include_extras=True)


def key(field: dataclasses.Field[Any]) -> str:
    """The key that stands in the document for a dataclass's field."""
    return field.name.removesuffix("_").replace("_", "-")


def required(field: dataclasses.Field[Any]) -> bool:
    """Whether a document must have the field's key."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


class _Reader:
    """One pass over a document. After a fault, what a method returns is only a place holder."""

    def __init__(self) -> None:
        self.faults: list[Found] = []
        self.unknown: list[Found] = []

    def value(self, hint: Any, value: object, path: KeyPath) -> object:
        if hasattr(hint, "__metadata__"):
            return self.constrained(hint, value, path)
        if dataclasses.is_dataclass(hint):
            return self.table(hint, value, path)
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            if value not in arguments:
                allowed = ", ".join(f"'{argument}'" for argument in arguments)
                self.faults.append((path, f"must be one of {allowed}, not {_show(value)}"))
            return value
        if origin in (Union, types.UnionType):
            return self.union(arguments, value, path)
        if origin is tuple:
            return self.items(arguments[0], value, path)
        if origin is Mapping:
            return self.mapping(arguments, value, path)
        if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
            self.faults.append((path, f"must be {_called(hint)}, not {_show(value)}"))
        return value

    def constrained(self, hint: Any, value: object, path: KeyPath) -> object:
        before = len(self.faults)
        result = self.value(hint.__origin__, value, path)
        if len(self.faults) > before:
            return result
        for constraint in hint.__metadata__:
            match constraint, result:
                case Text(), str() if refusal := constraint.refusal(result):
                    self.faults.append((path, refusal))
                case Between(low, high), int() if not low <= result <= high:
                    sentence = f"must be between {low} and {high}, not {_show(result)}"
                    self.faults.append((path, sentence))
                case AtLeastOne(), ():
                    self.faults.append((path, "must hold at least one entry"))
        return result

    def table(self, table: Any, value: object, path: KeyPath) -> object:
        if not isinstance(value, dict):
            self.faults.append((path, f"must be a table, not {_show(value)}"))
            return None
        fields = {key(field): field for field in dataclasses.fields(table)}
        for name in value.keys() - fields.keys():
            self.unknown.append(((*path, name), f"unknown key ({suggestion(name, fields)})"))
        arguments: dict[str, object] = {}
        for name, field in fields.items():
            if name in value:
                hint = hints(table)[field.name]
                arguments[field.name] = self.value(hint, value[name], (*path, name))
            elif required(field):
                remedy = _remedy(hints(table)[field.name], (*path, name))
                self.faults.append(((*path, name), f"is missing{remedy}"))
                arguments[field.name] = None
        return table(**arguments)

    def items(self, hint: Any, value: object, path: KeyPath) -> tuple[object, ...]:
        if not isinstance(value, list):
            self.faults.append((path, f"must be a list, not {_show(value)}"))
            return ()
        return tuple(self.value(hint, item, (*path, index)) for index, item in enumerate(value))

    def mapping(
        self, arguments: tuple[Any, ...], value: object, path: KeyPath
    ) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self.faults.append((path, f"must be a table, not {_show(value)}"))
            return {}
        for name in value:
            self.value(arguments[0], name, (*path, name))
        items = {
            name: self.value(arguments[1], item, (*path, name)) for name, item in value.items()
        }
        return types.MappingProxyType(items)

    def union(self, arguments: tuple[Any, ...], value: object, path: KeyPath) -> object:
        choices = [argument for argument in arguments if argument is not types.NoneType]
        if len(choices) == 1:
            return self.value(choices[0], value, path)
        if not isinstance(value, tuple(choices)):
            self.faults.append((path, f"must be {_called(choices[0])}, not {_show(value)}"))
        return value


def _remedy(hint: Any, path: KeyPath) -> str:
    name = ".".join(part for part in path if isinstance(part, str))
    hint = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    if get_origin(hint) is tuple and dataclasses.is_dataclass(get_args(hint)[0]):
        return f"; begin one with [[{name}]]"
    return f"; begin it with [{name}]" if dataclasses.is_dataclass(hint) else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant who wrote a name that is not among the known ones."""
    # Only a wrong manifest needs it, and its import costs a right one several milliseconds.
    from difflib import get_close_matches

    plain = {each.lower().replace("_", "-"): each for each in known}
    close = get_close_matches(name.lower().replace("_", "-"), plain, n=1)
    if close:
        return f"did you mean '{plain[close[0]]}'?"
    return f"known are {', '.join(sorted(plain.values()))}"


def _called(kind: type) -> str:
    if issubclass(kind, datetime.date):
        return "a date such as 2026-01-31"
    return _CALLED[kind]


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
