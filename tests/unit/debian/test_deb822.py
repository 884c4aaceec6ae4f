# SPDX-License-Identifier: Apache-2.0
"""Paragraphs of fields, as dpkg, apt and dak write them."""

from __future__ import annotations

import pytest

from hadeb.debian.deb822 import field, fields, paragraph, paragraphs, without_signature

TEXT = """\
# A comment before the first paragraph

# and another one
Package: greeter
Depends: python3,
 pacemaker (>= 2.1),
# A comment within a field
\tadduser
Description: says hello
 politely,
 .
  in lines
 # and this is no comment
X-Empty:

 \t
Package: other
package-list: a
"""


def test_paragraphs_are_apart_at_lines_of_blanks_and_have_no_comments() -> None:
    first, second = paragraphs(TEXT)
    assert first.startswith("Package: greeter\n")
    assert first.endswith("\nX-Empty:")
    assert "comment before" not in first
    assert "comment within" not in first
    assert " # and this is no comment" in first
    assert second == "Package: other\npackage-list: a"


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "# only a comment\n"])
def test_a_text_without_fields_has_no_paragraph(text: str) -> None:
    assert list(paragraphs(text)) == []


def test_fields_are_named_in_lower_case_and_keep_their_lines() -> None:
    first = fields(next(paragraphs(TEXT)))
    assert first == {
        "package": "greeter",
        "depends": "python3,\npacemaker (>= 2.1),\nadduser",
        "description": "says hello\npolitely,\n\nin lines\n# and this is no comment",
        "x-empty": "",
    }


def test_lines_that_are_no_fields_are_left_out() -> None:
    assert fields(" leads nowhere\nno colon\n nor this\nA: b\n: c\n d\n") == {"a": "b"}
    assert fields("") == {}


def test_one_field_is_read_on_one_line_whatever_its_case() -> None:
    assert field(TEXT, "depends") == "python3, pacemaker (>= 2.1),"
    assert field(TEXT, "Package-List") == "a"
    assert field(TEXT, "X-Empty") == ""
    assert field(TEXT, "Missing") == ""
    assert field("Depends: a,\n b\n", "Depends") == "a, b"
    assert field("X-Depends: a\n", "Depends") == ""


SIGNED = """\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Format: 1.0
Source: greeter

-----BEGIN PGP SIGNATURE-----

iQ==
-----END PGP SIGNATURE-----
"""


def test_the_signed_paragraph_is_read_without_its_signature() -> None:
    assert without_signature(SIGNED) == "Format: 1.0\nSource: greeter"
    assert without_signature("\n\nFormat: 1.0\nSource: greeter\n\nmore") == (
        "Format: 1.0\nSource: greeter"
    )
    assert without_signature("") == ""


def test_what_is_written_is_read_back() -> None:
    written = paragraph((("Package", "greeter"), ("Description", "hello\n world\n .\n again")))
    assert written == "Package: greeter\nDescription: hello\n world\n .\n again\n"
    assert fields(written) == {"package": "greeter", "description": "hello\nworld\n\nagain"}
