# SPDX-License-Identifier: Apache-2.0
"""The manifest's JSON schema (draft 2020-12), made from the model's types and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from hadeb.manifest import cluster, model
from hadeb.manifest.constraints import AtLeastOne, Between, Text
from hadeb.manifest.reader import hints, key, required

_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
}


def schema() -> dict[str, Any]:
    """The whole schema, with a definition for each table."""
    tables = _tables(model.Manifest)
    root = _table(model.Manifest)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bundle.toml",
        **root,
        # Of its own, or of somebody else: something has to be run.
        "anyOf": [
            {"required": ["agent"], "properties": {"agent": {"minItems": 1}}},
            {"required": ["cluster"]},
        ],
        "$defs": {table.__name__: _table(table) for table in tables},
    }


@functools.cache
def meanings() -> Mapping[tuple[str, str], str]:
    """What each (table's class, field) means: the docstring below the field in the model."""
    found: dict[tuple[str, str], str] = {}
    sources = (inspect.getsource(module) for module in (model, cluster))
    for node in (node for source in sources for node in ast.parse(source).body):
        if not isinstance(node, ast.ClassDef):
            continue
        for field, text in zip(node.body, node.body[1:], strict=False):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                    value=ast.Constant(value=str(meaning))
                ):
                    found[node.name, name] = " ".join(meaning.split())
    return found


def _tables(table: type) -> list[type]:
    found: list[type] = []
    for hint in hints(table).values():
        for inner in _dataclasses(hint):
            found.extend([inner, *_tables(inner)])
    return found


def _dataclasses(hint: Any) -> list[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    arguments = (hint.__origin__,) if hasattr(hint, "__metadata__") else get_args(hint)
    return [found for argument in arguments for found in _dataclasses(argument)]


def _table(table: type) -> dict[str, Any]:
    fields = dataclasses.fields(table)
    properties = {}
    for field in fields:
        properties[key(field)] = _type(hints(table)[field.name])
        if meaning := meanings().get((table.__name__, field.name)):
            properties[key(field)]["description"] = meaning
        if isinstance(field.default, str | int | bool):
            properties[key(field)]["default"] = field.default
    return {
        "type": "object",
        "description": " ".join((inspect.getdoc(table) or "").split()),
        "properties": properties,
        "required": [key(field) for field in fields if required(field)],
        "additionalProperties": False,
    }


def _type(hint: Any) -> dict[str, Any]:
    if hasattr(hint, "__metadata__"):
        return _constrained(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is Mapping:
        return {
            "type": "object",
            "propertyNames": _type(arguments[0]),
            "additionalProperties": _type(arguments[1]),
        }
    if origin in (Union, types.UnionType):
        return _type(next(choice for choice in arguments if choice is not types.NoneType))
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    # What is left are dates: TOML has them as values, JSON writes them as text.
    return {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}


def _constrained(hint: Any) -> dict[str, Any]:
    made = _type(hint.__origin__)
    for constraint in hint.__metadata__:
        match constraint:
            case Text(schema=rule):
                made |= rule
            case Between(low, high):
                made |= {"minimum": low, "maximum": high}
            case AtLeastOne():
                made |= {"minItems": 1}
    return made
