# SPDX-License-Identifier: Apache-2.0
"""A repository with two suites, as values."""

from __future__ import annotations

import base64
import dataclasses
import datetime

from hadeb.repo.model.contents import Contents, PoolFile, Published
from hadeb.repo.model.keys import Key, PublicKeys
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.model.suite_view import SuiteView

# What a person may call a repository, and what HTML, apt and the shell make something else of.
HOSTILE = """Bob's <b>"R&D"</b>, [a-z]* / @NAME@ $(id) `id` \\ gr\u00f6\u00dfer"""
SIGNED = datetime.datetime(2026, 11, 25, 4, 28, tzinfo=datetime.UTC)
TIMESTAMP = int(SIGNED.timestamp())

STABLE = RepoSuite("stable", "acme-stable", ("main", "extra"), ("amd64", "arm64", "source"), 14)
STAGING = RepoSuite("staging", "acme-staging")
REPOSITORY = Repository(
    "acme",
    "Acme",
    "Acme clusters",
    "https://apt.example/acme/",
    ("E" * 40,),
    2,
    suites=(STABLE, STAGING),
)

# Two keys that gpg made and exported; nobody has their secret halves.
KEYS = PublicKeys(
    base64.b64decode(
        """
        mDMEawZmuxYJKwYBBAHaRw8BAQdA+0PHuP9S169eOr2sKJznlx+HzedIEBcpY7VtSyXmX+q0G0FjbWUgT2xkIDxv
        bGRAYWNtZS5leGFtcGxlPoiWBBMWCAA+FiEE6pdG7RIw4+FdCXBS4mqXZQ4w9c4FAmsGZrsCGwMFCQPCZwAFCwkI
        BwIGFQoJCAsCBBYCAwECHgECF4AACgkQ4mqXZQ4w9c5RGgD/R/B27AuaIfhsUjwgp+hY3fdlLCdA3QCIHBQ717iD
        uiIBALIOF7f4GiRt1AHwfdN8NxQjr/KOADqrsZswWOQRRYgPmDMEawZmuxYJKwYBBAHaRw8BAQdAOPnnzcgafAcZ
        4QHb/1+omGmYkaUC+Wffn8vqdxOgX6q0CEFjbWUgTmV3iJAEExYIADgWIQRw0F9slmBBKHBhSyaD5PnvI4rRrwUC
        awZmuwIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRCD5PnvI4rRrxb7AQDprog1xturZ6k4CbkvzzRo4Htz
        i3uyXi0Uv0D6tp+XBgD/VhSx1ZAZuwT/hgjrc2qP6uL7vorHybj2X+0Zh5kCRgw=
        """
    ),
    (
        Key(
            "EA9746ED1230E3E15D097052E26A97650E30F5CE",
            "Acme Old <old@acme.example>",
            datetime.datetime(2028, 11, 24, tzinfo=datetime.UTC),
        ),
        Key("70D05F6C9660412870614B2683E4F9EF238AD1AF", "Acme New", None),
    ),
)
# The end of what `gpg --armor --export` wrote of them.
ARMOR_END = "ybj2X+0Zh5kCRgw=\n=KQhp\n-----END PGP PUBLIC KEY BLOCK-----\n"


def published(
    name: str, version: str, architecture: str = "amd64", *, size: int = 24_512, phase: int = 100
) -> Published:
    file = PoolFile(f"pool/{name}_{version}_{architecture}.deb", size, "0" * 64)
    return Published("main", name, version, architecture, "", (file,), phase)


def with_packages(view: SuiteView, *packages: Published) -> SuiteView:
    return dataclasses.replace(view, contents=Contents().with_packages(packages))


def sample_suites() -> list[SuiteView]:
    until = SIGNED + datetime.timedelta(days=14)
    return [
        SuiteView(STAGING, Contents(), 1, SIGNED),
        with_packages(
            SuiteView(STABLE, Contents(), 17, SIGNED, until),
            published("acme-archive-keyring", "2", "all", size=900),
            published("greeter", "1.9"),
            published("greeter", "1.10", phase=20),
            published("greeter", "1.9", "source", size=99_950),
        ),
    ]
