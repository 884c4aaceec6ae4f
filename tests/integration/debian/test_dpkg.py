# SPDX-License-Identifier: Apache-2.0
"""hadeb and dpkg agree on versions, relations and paragraphs."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from hadeb.debian.deb822 import fields, paragraph
from hadeb.debian.licenses import COMMON_LICENSES
from hadeb.debian.relations import parse_relation
from hadeb.debian.version import VERSION, version_key
from hadeb.run import run

VERSIONS = (
    "0~~ 0~ 0 1 1.0 1.00 1.0~rc1 1.0-1 1.0-0 1.0-1~ 1.0-1+b1 1.0+a 1.0a 1--2 1-a-2 9 10 1:0.1 "
    "2.0+dfsg-1 2.0.a 2.0.+"
).split()


def test_versions_sort_as_dpkg_sorts_them() -> None:
    for version, other in itertools.combinations(VERSIONS, 2):
        for word, holds in (
            ("lt", version_key(version) < version_key(other)),
            ("eq", version_key(version) == version_key(other)),
        ):
            done = run(("dpkg", "--compare-versions", version, word, other), check=False)
            assert holds is (done.returncode == 0), (version, word, other)


@pytest.mark.parametrize(
    "version",
    [*VERSIONS, "1-", "1:", ":1", "a", "a1", "-1", "1_2", "1é", "1 2", "1:-1", "999999999:1"],
)
def test_the_grammar_of_a_version_is_dpkgs(version: str) -> None:
    done = run(("dpkg", "--validate-version", version), check=False)
    assert bool(VERSION.fullmatch(version)) is (done.returncode == 0)


def control(directory: Path, *more: tuple[str, str]) -> str:
    """A control file in a directory that dpkg-deb can build, and its text."""
    text = paragraph(
        (
            ("Package", "greeter"),
            ("Version", "1--2"),
            ("Architecture", "all"),
            ("Maintainer", "Jane Roe <jane@example.org>"),
            *more,
            ("Description", "says hello\n politely,\n .\n and again"),
        )
    )
    (directory / "DEBIAN").mkdir(parents=True)
    (directory / "DEBIAN/control").write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize(
    "relation", ["a", "ab:any (>= 1--2)", "ab(<<1:2~)", "ab ( = 1 )", "ab | cd", "ab (= 1.2.a)"]
)
def test_dpkg_takes_each_relation_that_is_parsed(tmp_path: Path, relation: str) -> None:
    control(tmp_path / "greeter", ("Depends", relation))
    run(("dpkg-deb", "--build", str(tmp_path / "greeter"), str(tmp_path / "x.deb")))
    assert parse_relation(relation)


def test_dpkg_reads_a_written_paragraph(tmp_path: Path) -> None:
    text = control(tmp_path / "greeter")
    deb = str(tmp_path / "x.deb")
    run(("dpkg-deb", "--build", str(tmp_path / "greeter"), deb))
    assert fields(run(("dpkg-deb", "--field", deb)).stdout) == fields(text)
    shown = run(("dpkg-deb", "--field", deb, "Version")).stdout
    assert shown.strip() == fields(text)["version"] == "1--2"


def test_every_common_license_is_a_file_of_base_files() -> None:
    shipped = run(("dpkg-query", "--listfiles", "base-files")).stdout.splitlines()
    missing = {
        name
        for name in COMMON_LICENSES.values()
        if f"/usr/share/common-licenses/{name}" not in shipped
    }
    assert not missing
