# SPDX-License-Identifier: Apache-2.0
"""The package with the keys: the same bytes each time, and who answers for it."""

from __future__ import annotations

import dataclasses

import pytest

from hadeb.package.deb import write
from hadeb.package.model import File
from hadeb.repo.keyring.package import keyring_package
from support.repo.page_sample import HOSTILE, KEYS, REPOSITORY, TIMESTAMP

PACKAGE = keyring_package(REPOSITORY, KEYS, TIMESTAMP)


def test_the_same_keys_are_the_same_bytes() -> None:
    assert write(PACKAGE) == write(keyring_package(REPOSITORY, KEYS, TIMESTAMP))
    assert PACKAGE.file_name == "acme-archive-keyring_2_all.deb"


def test_the_keys_lie_where_programs_look_for_them() -> None:
    files = {entry.path: entry.content for entry in PACKAGE.entries if isinstance(entry, File)}
    assert files["usr/share/keyrings/acme-archive-keyring.pgp"] == KEYS.binary


@pytest.mark.parametrize(
    ("user", "url", "maintainer"),
    [
        ("Roe <roe@acme.example>", "https://x.example", "Roe <roe@acme.example>"),
        (HOSTILE, "https://apt.example/acme", "acme <acme@apt.example>"),
        ("", "file:/srv/acme", "acme <acme@localhost>"),
    ],
)
def test_somebody_answers_for_the_package(user: str, url: str, maintainer: str) -> None:
    keys = dataclasses.replace(
        KEYS, keys=tuple(dataclasses.replace(key, user_id=user) for key in KEYS.keys)
    )
    package = keyring_package(dataclasses.replace(REPOSITORY, url=url), keys, TIMESTAMP)
    assert package.field("Maintainer") == maintainer
