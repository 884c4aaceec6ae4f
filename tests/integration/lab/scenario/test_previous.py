# SPDX-License-Identifier: Apache-2.0
"""Which files `hadeb lab run --from` takes, and what it says of the others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hadeb.errors import UsageError
from hadeb.lab.scenario.previous import previous_version
from hadeb.package.deb import write
from hadeb.package.model import Package
from support.command import call_hadeb
from support.two_bundles import VALID

NEW = Package(
    control=(
        ("Package", "greeter"),
        ("Version", "1:2.0-1"),
        ("Architecture", "all"),
        ("Maintainer", "Jane Roe <jane@example.org>"),
        ("Description", "greeter"),
    ),
    entries=(),
    conffiles=(),
    scripts=(),
    timestamp=0,
)


def deb(directory: Path, **fields: str) -> Path:
    """The package with other control fields, in a file whose name does not say so."""
    control = {**dict(NEW.control), **{key.replace("_", "-"): fields[key] for key in fields}}
    path = directory / "some file.deb"
    path.write_bytes(write(dataclasses.replace(NEW, control=tuple(control.items()))))
    return path


@pytest.mark.parametrize("version", ["1:1.9", "1:2.0~rc1-1", "99", "0:5", "1:2.0-0.1"])
def test_every_earlier_version_is_taken(version: str, tmp_path: Path) -> None:
    path = deb(tmp_path, Version=version, Pre_Depends="dpkg (>= 1)", Depends="python3, nginx")
    previous = previous_version(path, NEW)
    assert (previous.version, previous.deb) == (version, path)
    assert previous.relations == "dpkg (>= 1), python3, nginx"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"Package": "other"}, "is the package other, but the bundle makes greeter"),
        ({"Version": "1:2.0-1"}, "is 1:2.0-1, the same version as the bundle's"),
        ({"Version": "1:02.00-1"}, "is 1:02.00-1, the same version as the bundle's"),
        ({"Version": "1:2.0-1+b1"}, "is 1:2.0-1+b1, newer than the bundle's 1:2.0-1"),
        ({"Version": "2:1"}, "is 2:1, newer than the bundle's 1:2.0-1"),
        ({"Version": "1", "Architecture": "sh4"}, "is for sh4, but the lab's nodes are "),
    ],
)
def test_a_package_to_which_nobody_upgrades_is_refused(
    fields: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as error:
        previous_version(deb(tmp_path, **fields), NEW)
    assert sentence in error.value.message
    assert error.value.hint


@pytest.mark.parametrize("content", [None, b"", b"!<arch>\n", b"no package at all\n" * 99])
def test_what_is_no_package_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "old.deb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"no such file|is not a Debian package") as error:
        previous_version(path, NEW)
    assert str(path) in error.value.message
    assert error.value.hint


def test_the_faults_of_two_versions_need_the_earlier_one(tmp_path: Path) -> None:
    bundle = VALID / "agents-only"
    done = call_hadeb("lab", "run", "-m", bundle, "downgrade", "upgrade", directory=tmp_path)
    assert done.code == 2
    assert "there is no earlier version" in done.stderr
    assert "--from OLD.deb" in done.stderr
