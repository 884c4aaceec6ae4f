# SPDX-License-Identifier: Apache-2.0
"""The lab takes Debian from where the machine's own apt does."""

from __future__ import annotations

import pytest

from hadeb.errors import HadebError
from hadeb.lab.node.mirror import Archive, Target, choose, entry_options, parse_targets

MAIN = Target("http://mirror/debian/", "bookworm", "main", "Debian", "Debian", "/a.sources:1")
UPDATES = Target("http://mirror/debian/", "bookworm-updates", "main", "Debian", "Debian", "")
SECURITY = Target("http://mirror/s/", "bookworm-security", "main", "Debian", "Debian-Security", "")
OTHER = Target("http://other/repo/", "stable", "main", "Other", "Other", "")

DEB822 = """\
# a comment first

# and another
Types: deb
URIs: http://mirror/debian
# Signed-By: /not/this.gpg
Suites: bookworm bookworm-updates
Signed-By: /usr/share/keyrings/one.gpg

Types: deb
URIs: http://other/repo
Suites: stable
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdA
 -----END PGP PUBLIC KEY BLOCK-----
"""

ONE_LINE = """\
# deb [trusted=yes] http://no/debian bookworm main

deb [ arch=amd64 signed-by=/a/key.gpg ] http://mirror/debian bookworm main
deb http://plain/debian bookworm main
"""


def test_updates_security_and_strangers_are_no_archive_to_build_from() -> None:
    assert choose([OTHER, SECURITY, UPDATES, MAIN]) is MAIN


def test_a_never_fetched_archive_is_reported_by_its_names() -> None:
    unknown = Target("http://mirror/debian/", "bookworm", "main", "", "", "")
    security = Target("http://mirror/debian-security/", "bookworm", "main", "", "", "")
    assert choose([security, unknown]) is unknown


def test_a_machine_without_debian_gets_a_hint_what_to_add() -> None:
    with pytest.raises(HadebError) as error:
        choose([OTHER, SECURITY, UPDATES])
    assert error.value.hint


def test_a_field_that_apt_leaves_unfilled_is_empty() -> None:
    line = "http://mirror/debian/|bookworm|main|$(ORIGIN)|$(LABEL)|/a.list:3"
    assert parse_targets([line, "", "W: a warning"]) == [
        Target("http://mirror/debian/", "bookworm", "main", "", "", "/a.list:3")
    ]


def test_deb822_entries_are_counted_as_apt_counts_them() -> None:
    first = entry_options(DEB822, 1, deb822=True)
    assert first["signed-by"] == "/usr/share/keyrings/one.gpg"
    assert "trusted" not in first
    assert entry_options(DEB822, 2, deb822=True)["trusted"] == "yes"
    assert entry_options(DEB822, 3, deb822=True) == {}


def test_an_embedded_key_keeps_its_lines() -> None:
    key = entry_options(DEB822, 2, deb822=True)["signed-by"].strip().splitlines()
    assert key[0] == "-----BEGIN PGP PUBLIC KEY BLOCK-----"
    assert key[1:3] == ["", "mDMEY865UxYJKwYBBAHaRw8BAQdA"]


def test_one_line_options_are_read_from_their_own_line() -> None:
    assert entry_options(ONE_LINE, 3, deb822=False) == {
        "arch": "amd64",
        "signed-by": "/a/key.gpg",
    }
    assert entry_options(ONE_LINE, 1, deb822=False) == {}
    assert entry_options(ONE_LINE, 4, deb822=False) == {}
    assert entry_options(ONE_LINE, 9, deb822=False) == {}


def test_the_entry_for_another_suite_keeps_mirror_key_and_trust() -> None:
    archive = Archive("http://mirror/debian/", trusted=True)
    assert archive.line("trixie") == "deb [trusted=yes] http://mirror/debian/ trixie main"
    assert Archive("http://m/").line("trixie") == "deb http://m/ trixie main"
    assert Archive("http://m/").line("trixie", "/k.gpg") == (
        "deb [signed-by=/k.gpg] http://m/ trixie main"
    )
