# SPDX-License-Identifier: Apache-2.0
"""Names are what Debian Policy 5.6 admits, and nothing else."""

from __future__ import annotations

import pytest

from hadeb.debian.names import (
    FILE_NAME,
    PACKAGE,
    SOURCE_FIELD,
    check_architecture,
    check_codename,
)
from hadeb.debian.programs import LAB, PUBLISH, package_of
from hadeb.errors import UsageError


@pytest.mark.parametrize("name", ["ab", "0ad", "libstdc++6", "python3.11", "g-1"])
def test_a_packages_name_is_admitted(name: str) -> None:
    assert PACKAGE.fullmatch(name)


@pytest.mark.parametrize("name", ["", "a", "Ab", "-ab", "a_b", "a b", "ab\n", "a/b", "äb"])
def test_what_is_no_packages_name_is_refused(name: str) -> None:
    assert not PACKAGE.fullmatch(name)


@pytest.mark.parametrize(
    ("value", "name"),
    [("greeter", "greeter"), ("greeter (1.0-1)", "greeter"), ("greeter(1:1--2)", "greeter")],
)
def test_a_source_field_may_have_a_version(value: str, name: str) -> None:
    match = SOURCE_FIELD.fullmatch(value)
    assert match
    assert match["name"] == name


@pytest.mark.parametrize("value", ["", "greeter ()", "greeter (1-)", "greeter (1) x"])
def test_another_source_field_is_refused(value: str) -> None:
    assert not SOURCE_FIELD.fullmatch(value)


def test_a_files_name_cannot_leave_its_directory() -> None:
    assert FILE_NAME.fullmatch("greeter_1.0~rc1+b1_all.deb")
    assert not any(FILE_NAME.fullmatch(name) for name in ("", "..", ".x", "a/b", "a b", "a%2f"))


def test_only_the_architecture_of_a_machine_has_a_suite() -> None:
    check_architecture("amd64")
    check_architecture("kfreebsd-i386")
    for name in ("all", "any", "source", "", "AMD64", "a/b"):
        with pytest.raises(UsageError) as error:
            check_architecture(name)
        assert repr(name) in error.value.message
        assert error.value.hint


def test_a_codename_is_the_name_of_a_directory() -> None:
    check_codename("trixie-1.0~a")
    for name in ("", "..", "a/b", "a b"):
        with pytest.raises(UsageError) as error:
            check_codename(name)
        assert repr(name) in error.value.message


def test_every_program_has_a_package() -> None:
    assert package_of("tc") == "iproute2"
    assert package_of("mmdebstrap") == "mmdebstrap"
    assert all(PACKAGE.fullmatch(package_of(program)) for program in (*LAB, *PUBLISH))
