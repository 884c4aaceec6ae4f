# SPDX-License-Identifier: Apache-2.0
"""A report as plain data, and the JSON schema for it, both made from the values' types. Pure."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from hadeb.lab.verdict.result import Report, Run, Totals, Trial, totals
from hadeb.manifest.hints import ListOf, Scalar, Table, Type, fields_of, type_of

VERSION = 1

_PLAIN: Mapping[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
}
# Properties that readers want in addition to a value's fields.
_ADDED: Mapping[type, Mapping[str, object]] = {
    Report: {"passed": bool},
    Run: {"totals": Totals},
    Trial: {"passed": bool},
}


def report_json(report: Report) -> dict[str, Any]:
    """Everything in the report, in JSON's types; times are rounded to milliseconds."""
    return {"schema": VERSION, **_data(report)}


def report_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what `report_json` makes."""
    definitions: dict[str, Any] = {}
    root = _object(Report, definitions)
    root["properties"] = {"schema": {"const": VERSION}, **root["properties"]}
    root["required"] = ["schema", *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json",
        **root,
        "$defs": definitions,
    }


def _data(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str):
        # A byte in a log that is not UTF-8 must not prevent the report.
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, tuple):
        return [_data(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    made = {field.name: _data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Report | Trial):
        made["passed"] = value.passed
    if isinstance(value, Run):
        made["totals"] = _data(totals(value))
    return made


def _object(table: type, definitions: dict[str, Any]) -> dict[str, Any]:
    fields = {field.name: field.type for field in fields_of(table)}
    fields |= {name: type_of(hint) for name, hint in _ADDED.get(table, {}).items()}
    return {
        "type": "object",
        "description": " ".join((inspect.getdoc(table) or "").split()),
        "properties": {name: _type(kind, definitions) for name, kind in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def _type(kind: Type, definitions: dict[str, Any]) -> dict[str, Any]:
    match kind.shape:
        case Table(table):
            definitions.setdefault(table.__name__, _object(table, definitions))
            return {"$ref": f"#/$defs/{table.__name__}"}
        case ListOf(item):
            return {"type": "array", "items": _type(item, definitions)}
        case Scalar((plain,)):
            return {"type": [_PLAIN[plain], "null"] if kind.optional else _PLAIN[plain]}
        case other:
            raise TypeError(f"no JSON for {other}")
