# SPDX-License-Identifier: Apache-2.0
"""The schema admits what hadeb takes, and refuses what hadeb refuses."""

from __future__ import annotations

import functools
import json
import tomllib

import jsonschema
import pytest

from hadeb.manifest.schema import schema
from support.command import ROOT

VALID = ROOT / "tests/manifests/valid"
CASES = sorted(path.name for path in VALID.iterdir())


@functools.cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def validate(document: object) -> None:
    """Validate as JSON, which has no dates: there they are text."""
    validator().validate(json.loads(json.dumps(document, default=str)))


@pytest.mark.parametrize("case", CASES)
def test_the_schema_admits_what_hadeb_takes(case: str) -> None:
    document = tomllib.loads((VALID / case / "bundle.toml").read_text("utf-8"))
    validate(document)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Greeter"),
        ("version", "v1"),
        ("architecture", "x86"),
        ("summary", ""),
        ("homepage", "ftp://example.org"),
        ("copyright", []),
        ("nonsense", 1),
        ("manpages", "greeter.8"),
    ],
)
def test_the_schema_refuses_what_hadeb_refuses(key: str, value: object) -> None:
    document = tomllib.loads((VALID / "agents-only/bundle.toml").read_text("utf-8"))
    document["package"][key] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(document)


@pytest.mark.parametrize("changes", [{}, {"agent": []}])
def test_the_schema_refuses_a_bundle_with_nothing_to_run(changes: dict[str, object]) -> None:
    document = tomllib.loads((VALID / "no-agent/bundle.toml").read_text("utf-8"))
    del document["cluster"]
    with pytest.raises(jsonschema.ValidationError):
        validate(document | changes)
