# SPDX-License-Identifier: Apache-2.0
"""The manifest's JSON schema (draft 2020-12), made from the model's types and docstrings. Pure."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Mapping
from typing import Any

from hadeb.manifest import cluster, model
from hadeb.manifest.constraints import AtLeastOne, Between, Text
from hadeb.manifest.hints import Choice, ListOf, MapOf, Scalar, Table, Type, fields_of

_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
}


def schema() -> dict[str, Any]:
    """The schema of bundle.toml, with a definition for each table."""
    tables = _tables(model.Manifest)
    root = _table(model.Manifest)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bundle.toml",
        **root,
        # A bundle has agents, or its cluster uses those of others.
        "anyOf": [
            {"required": ["agent"], "properties": {"agent": {"minItems": 1}}},
            {"required": ["cluster"]},
        ],
        "$defs": {table.__name__: _table(table) for table in tables},
    }


@functools.cache
def meanings() -> Mapping[tuple[str, str], str]:
    """The docstring below each field of the model, by (class, field)."""
    texts: dict[tuple[str, str], str] = {}
    sources = (inspect.getsource(module) for module in (model, cluster))
    for node in (node for source in sources for node in ast.parse(source).body):
        if not isinstance(node, ast.ClassDef):
            continue
        for field, text in zip(node.body, node.body[1:], strict=False):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                    value=ast.Constant(value=str(meaning))
                ):
                    texts[node.name, name] = " ".join(meaning.split())
    return texts


def _tables(table: type) -> list[type]:
    inner = (_inner_tables(field.type) for field in fields_of(table))
    return [each for tables in inner for table in tables for each in (table, *_tables(table))]


def _inner_tables(kind: Type) -> list[type]:
    match kind.shape:
        case Table(table):
            return [table]
        case ListOf(item):
            return _inner_tables(item)
        case MapOf(value=value):
            return _inner_tables(value)
    return []


def _table(table: type) -> dict[str, Any]:
    fields = fields_of(table)
    properties = {}
    for field in fields:
        properties[field.key] = _type(field.type)
        if meaning := meanings().get((table.__name__, field.name)):
            properties[field.key]["description"] = meaning
        if isinstance(field.default, str | int | bool):
            properties[field.key]["default"] = field.default
    return {
        "type": "object",
        "description": " ".join((inspect.getdoc(table) or "").split()),
        "properties": properties,
        "required": [field.key for field in fields if field.required],
        "additionalProperties": False,
    }


def _type(kind: Type) -> dict[str, Any]:
    made = _shape(kind)
    for constraint in kind.constraints:
        match constraint:
            case Text(schema=rule):
                made |= rule
            case Between(low, high):
                made |= {"minimum": low, "maximum": high}
            case AtLeastOne():
                made |= {"minItems": 1}
    return made


def _shape(kind: Type) -> dict[str, Any]:
    match kind.shape:
        case Table(table):
            return {"$ref": f"#/$defs/{table.__name__}"}
        case Choice(values):
            return {"enum": list(values)}
        case ListOf(item):
            return {"type": "array", "items": _type(item)}
        case MapOf(key, value):
            return {
                "type": "object",
                "propertyNames": _type(key),
                "additionalProperties": _type(value),
            }
        case Scalar((plain,)) if plain in _PLAIN:
            return dict(_PLAIN[plain])
        case Scalar():
            # Dates: TOML has them as values, JSON as text.
            return {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}
