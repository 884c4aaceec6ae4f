# SPDX-License-Identifier: Apache-2.0
"""The control file's fields."""

from __future__ import annotations

import pytest

from hadeb.package.control import description


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\n  Text that says something.\n  ", "   Text that says something."),
        (" \n  x", "   x"),
        ("a\n \t \nb\n\n  \n", " a\n .\n b"),
        ("  \n\t\n", ""),
    ],
)
def test_no_line_of_blanks_reaches_a_description(text: str, written: str) -> None:
    assert description("summary", text) == f"summary\n{written}".rstrip("\n")
