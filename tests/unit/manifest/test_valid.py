# SPDX-License-Identifier: Apache-2.0
"""Every feature of the manifest in a tiny bundle: it is planned as before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import ROOT, Outcome, call_hadeb

VALID = ROOT / "tests/manifests/valid"
GOLDEN = ROOT / "tests/golden"
CASES = sorted(path.name for path in VALID.iterdir())
SOMEBODY = {"DEBFULLNAME": "Somebody Else", "DEBEMAIL": "else@example.org"}


def plan(directory: Path) -> Outcome:
    return call_hadeb("plan", directory=directory, environment=SOMEBODY)


def without_sizes(text: str) -> str:
    """Another comment in a template changes sizes; test_deb.py compares them with dpkg's."""
    text = re.sub(r"^(  [0-7]{4}) +\d+", r"\1", text, flags=re.MULTILINE)
    return re.sub(r"(?<=Installed-Size: )\d+", "…", text)


@pytest.mark.parametrize("case", CASES)
def test_a_valid_manifest_is_planned_as_before(
    case: str, golden: Callable[[Path, str], None]
) -> None:
    made = plan(VALID / case)
    assert (made.code, made.stderr) == (0, "")
    golden(GOLDEN / f"{case}.plan", without_sizes(made.stdout))


def test_the_plan_as_json_holds_what_the_text_says(golden: Callable[[Path, str], None]) -> None:
    made = call_hadeb("plan", "--json", directory=VALID / "links", environment=SOMEBODY)
    planned = json.loads(made.stdout)
    planned["control"]["Installed-Size"] = "…"
    for entry in planned["entries"]:
        entry.pop("size", None)
    planned["scripts"] = {
        name: text.partition("\n")[0] for name, text in planned["scripts"].items()
    }
    golden(GOLDEN / "links.plan.txt", json.dumps(planned, indent=2) + "\n")


def test_carriage_returns_of_another_system_change_nothing(bundle: Path) -> None:
    manifest = bundle / "bundle.toml"
    before = plan(bundle)
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert before.code == 0
    assert plan(bundle) == before


def test_a_byte_order_mark_of_another_system_changes_nothing(bundle: Path) -> None:
    manifest = bundle / "bundle.toml"
    before = plan(bundle)
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    assert before.code == 0
    assert plan(bundle) == before
