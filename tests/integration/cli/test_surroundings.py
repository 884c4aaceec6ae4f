# SPDX-License-Identifier: Apache-2.0
"""hadeb reports a broken environment clearly, and ignores what a build does not need."""

from __future__ import annotations

import pytest

from support.command import ROOT, run_hadeb


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_locale_that_is_not_utf_8_changes_nothing(form: list[str]) -> None:
    directory = ROOT / "tests/manifests/valid/non-ascii"
    # Python itself takes UTF-8 in this locale, unless it is told not to.
    ascii_only = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = run_hadeb("plan", *form, directory=directory, environment=ascii_only)
    assert done == run_hadeb("plan", *form, directory=directory)
    assert (done.code, done.stderr) == (0, "")
    assert "Grüße" in done.stdout
