# SPDX-License-Identifier: Apache-2.0
"""lintian finds nothing wrong with the sample package."""

from __future__ import annotations

from pathlib import Path

from hadeb.run import run


def test_lintian_finds_no_error_no_warning_and_no_override_too_many(debs: dict[str, Path]) -> None:
    argv = ("lintian", "--pedantic", "--display-info", "--tag-display-limit", "0")
    done = run([*argv, str(debs["1.0"])], timeout=300, check=False)
    tags = [line for line in done.stdout.splitlines() if not line.startswith(("I:", "N:"))]
    assert (done.returncode, tags) == (0, [])
    assert "unused-override" not in done.stdout


def test_every_override_says_why(debs: dict[str, Path], tmp_path: Path) -> None:
    run(["dpkg-deb", "--extract", str(debs["1.0"]), str(tmp_path)])
    (file,) = (tmp_path / "usr/share/lintian/overrides").iterdir()
    lines = [line for line in file.read_text().splitlines() if line]
    assert lines
    reasons, overrides = lines[::2], lines[1::2]
    assert all(reason.startswith("# ") and len(reason.split()) > 5 for reason in reasons)
    assert all(override.startswith("sample-tcp-server: ") for override in overrides)
