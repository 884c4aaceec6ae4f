# SPDX-License-Identifier: Apache-2.0
"""The fields of dataclasses and their type hints, taken apart for all code that reads them. Pure.

The reader of manifests, both JSON schemas and the reference in docs/ take what a field may hold
from here. A hint is a dataclass, a plain type, `Literal`, `X | None`, a union of plain types,
`tuple[X, ...]`, `Mapping[K, V]`, or one of these `Annotated` with constraints.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclasses.dataclass(frozen=True, slots=True)
class Scalar:
    """A value of one of these plain types; more than one only for dates."""

    types: tuple[type, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One of these values."""

    values: tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A dataclass."""

    type: Any


@dataclasses.dataclass(frozen=True, slots=True)
class ListOf:
    """A tuple of any length."""

    item: Type


@dataclasses.dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping."""

    key: Type
    value: Type


@dataclasses.dataclass(frozen=True, slots=True)
class Type:
    """What a hint admits. `hint` is the hint without `| None`, which makes it `optional`."""

    shape: Scalar | Choice | Table | ListOf | MapOf
    hint: Any
    constraints: tuple[object, ...] = ()
    optional: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataclass; `key` is its name in a document.

    `default` is dataclasses.MISSING if the field has none or makes one by a factory.
    """

    name: str
    key: str
    type: Type
    required: bool
    default: object


@functools.cache
def fields_of(table: Any) -> tuple[Field, ...]:
    """The fields of a dataclass, in order.

    A key is the field's name with dashes for underscores; one at the end, as in `with_`, is
    dropped.
    """
    hints = get_type_hints(table, include_extras=True)
    return tuple(
        Field(
            name=field.name,
            key=field.name.removesuffix("_").replace("_", "-"),
            type=type_of(hints[field.name]),
            required=field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING,
            default=field.default,
        )
        for field in dataclasses.fields(table)
    )


def type_of(hint: Any) -> Type:
    """What a hint admits."""
    if hasattr(hint, "__metadata__"):
        return dataclasses.replace(
            type_of(hint.__origin__), hint=hint, constraints=tuple(hint.__metadata__)
        )
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if dataclasses.is_dataclass(hint):
        return Type(Table(hint), hint)
    if origin is Literal:
        return Type(Choice(arguments), hint)
    if origin is tuple:
        return Type(ListOf(type_of(arguments[0])), hint)
    if origin is Mapping:
        key, value = arguments
        return Type(MapOf(type_of(key), type_of(value)), hint)
    return Type(Scalar((hint,)), hint)


def _union(arguments: tuple[Any, ...]) -> Type:
    choices = tuple(choice for choice in arguments if choice is not types.NoneType)
    optional = len(choices) < len(arguments)
    if len(choices) == 1:
        return dataclasses.replace(type_of(choices[0]), optional=optional)
    return Type(Scalar(choices), choices, optional=optional)
