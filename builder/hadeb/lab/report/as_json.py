# SPDX-License-Identifier: Apache-2.0
"""A report as plain data, and the JSON schema of that, both made from the values' types. Pure."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from hadeb.lab.verdict.result import Report, Run, Trial
from hadeb.lab.verdict.totals import Totals, totals

VERSION = 1

_PLAIN: Mapping[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    types.NoneType: "null",
}
# What a value's fields do not hold and a reader wants all the same.
_ADDED: Mapping[type, Mapping[str, object]] = {
    Report: {"passed": bool},
    Run: {"totals": Totals},
    Trial: {"passed": bool},
}


def report_json(report: Report) -> dict[str, Any]:
    """All that the report holds, in JSON's types, with times in milliseconds' precision."""
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
        # A byte of a log that is no UTF-8 must not keep the report from being written.
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, tuple):
        return [_data(one) for one in value]
    if not dataclasses.is_dataclass(value):
        return value
    made = {one.name: _data(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Report | Trial):
        made["passed"] = value.passed
    if isinstance(value, Run):
        made["totals"] = _data(totals(value))
    return made


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    fields = get_type_hints(kind) | dict(_ADDED.get(kind, {}))
    return {
        "type": "object",
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "properties": {name: _type(hint, definitions) for name, hint in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        definitions.setdefault(hint.__name__, _object(hint, definitions))
        return {"$ref": f"#/$defs/{hint.__name__}"}
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(arguments[0], definitions)}
    if get_origin(hint) is types.UnionType:
        return {"type": [_PLAIN[argument] for argument in arguments]}
    return {"type": _PLAIN[hint]}
