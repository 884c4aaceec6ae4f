# SPDX-License-Identifier: Apache-2.0
"""hadeb(1) is a manual page that man renders without a warning."""

from __future__ import annotations

import os
import re

from hadeb.run import run
from support.command import ROOT

# As lintian renders a page to look for groff's warnings.
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}


def test_man_renders_the_page_without_a_warning() -> None:
    page = str(ROOT / "docs/hadeb.1")
    argv = ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-P", "cat", page)
    shown = run(argv, env=ENVIRONMENT)
    assert shown.stderr == ""
    # Bold text is typed twice.
    text = re.sub(".\b", "", shown.stdout)
    assert "hadeb - turn a daemon into a highly available Debian package" in text
    for word in ("hadeb build", "hadeb repo key add", "--passphrase-file", "SOURCE_DATE_EPOCH"):
        assert word in text


def test_the_page_has_a_name_that_whatis_finds() -> None:
    named = run(("lexgrog", str(ROOT / "docs/hadeb.1"))).stdout
    assert named.strip().endswith('"hadeb - turn a daemon into a highly available Debian package"')
