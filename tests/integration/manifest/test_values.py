# SPDX-License-Identifier: Apache-2.0
"""dpkg accepts every version, name and relation that hadeb accepts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadeb.manifest.model import PackageTable, RelationsTable
from hadeb.manifest.reader import read
from hadeb.manifest.schema import schema
from support.samples import examples

QUICK = settings(max_examples=examples(75, 1000))


def pattern(table: str, key: str) -> re.Pattern[str]:
    rule = schema()["$defs"][table]["properties"][key]
    return re.compile(rule.get("items", rule)["pattern"], re.ASCII)


def refused(table: type, key: str, value: object) -> bool:
    """Whether hadeb has something against the value itself."""
    return not read(table, {key: value}).is_valid(key)


def dpkg_takes(option: str, value: str) -> bool:
    done = subprocess.run(["dpkg", option, value], capture_output=True, check=False)
    return done.returncode == 0 and done.stderr == b""


@QUICK
@given(st.from_regex(pattern("PackageTable", "version"), fullmatch=True))
def test_a_version_that_hadeb_takes_is_one_for_dpkg(version: str) -> None:
    if not refused(PackageTable, "version", version):
        assert dpkg_takes("--validate-version", version)


@QUICK
@given(st.from_regex(pattern("PackageTable", "name"), fullmatch=True))
def test_a_name_that_hadeb_takes_is_one_for_dpkg(name: str) -> None:
    if not refused(PackageTable, "name", name):
        assert dpkg_takes("--validate-pkgname", name)


@pytest.mark.parametrize(
    "version", ["1", "0.0~", "1:2-3", "999999999:1", "1.0+dfsg-1ubuntu2~24.04.1", "1-2-3"]
)
def test_usual_versions_are_taken(version: str) -> None:
    assert not refused(PackageTable, "version", version)
    assert dpkg_takes("--validate-version", version)


def dpkg_deb_reads(relations: list[str], directory: Path) -> str:
    """What dpkg-deb has against a package that depends on these."""
    control = directory / "tree/DEBIAN/control"
    control.parent.mkdir(parents=True, exist_ok=True)
    depends = ", ".join(relations)
    control.write_text(
        f"Package: x1\nVersion: 1\nArchitecture: all\nMaintainer: J <j@x>\nDescription: x\n"
        f"Depends: {depends}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["dpkg-deb", "--build", directory / "tree", directory / "x.deb"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def test_relations_that_hadeb_takes_are_some_for_dpkg(tmp_path: Path) -> None:
    taken: list[str] = []

    @QUICK
    @given(st.from_regex(pattern("RelationsTable", "depends"), fullmatch=True))
    def collect(relation: str) -> None:
        if not refused(RelationsTable, "depends", [relation]):
            taken.append(relation)

    collect()
    assert len(taken) > 50
    assert dpkg_deb_reads(taken, tmp_path) == ""
    assert dpkg_deb_reads(["pacemaker (>> x y"], tmp_path) != ""
