# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab run --from`: up to the bundle's version under load, and down to one that fails."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.command import ROOT, call_hadeb

pytestmark = pytest.mark.usefixtures("as_root")

BUNDLE = ROOT / "tests/bundles/broken"
# dpkg keeps a conffile that a later version has brought, and the earlier agent does not know it.
FORMAT = '[[file]]\nsource = "answererd"\npath = "/etc/answerer/format-2"\n\n[cluster]\n'
REFUSES = """answerer_start() {
	if [ -e /etc/answerer/format-2 ]; then
		ocf_exit_reason "cannot read format 2"
		return "$OCF_ERR_GENERIC"
	fi
"""


def bundle(directory: Path, version: str, file: str, old: str, new: str) -> Path:
    """The bundle as a version, with one change in a file."""
    shutil.copytree(BUNDLE, directory)
    changed = directory / file
    text = changed.read_text("utf-8")
    assert text.count(old) == 1
    changed.write_text(text.replace(old, new), encoding="utf-8")
    manifest = directory / "bundle.toml"
    numbered = re.sub(r'(?m)^version = ".*"', f'version = "{version}"', manifest.read_text("utf-8"))
    manifest.write_text(numbered, encoding="utf-8")
    return directory


def texts(trial: dict[str, Any]) -> list[str]:
    return [event["text"] for event in trial["events"] if event["kind"] == "fault"]


def test_a_version_goes_up_under_load_and_comes_back_from_one_that_does_not_start(
    tmp_path: Path,
) -> None:
    earlier = bundle(tmp_path / "1.0", "1.0", "answerer", "answerer_start() {\n", REFUSES)
    later = bundle(tmp_path / "1.1", "1.1", "bundle.toml", "[cluster]\n", FORMAT)
    built = call_hadeb("build", "-q", directory=earlier)
    report = tmp_path / "report"
    argv = ("--from", earlier / built.stdout.strip(), "-m", later, "-o", report, "--nodes", "2")
    done = call_hadeb("lab", "run", *argv, "upgrade", "downgrade", directory=tmp_path)
    assert done.code == 4, done.stdout + done.stderr
    result = json.loads((report / "report.json").read_text("utf-8"))
    started, upgrade, downgrade = result["runs"][0]["trials"]
    assert (started["passed"], upgrade["passed"]) == (True, True), done.stderr
    assert upgrade["before"] != upgrade["after"]
    assert texts(upgrade).count("1.1 installed") == 2
    assert f"1.1 serves on {upgrade['after']}" in texts(upgrade)
    # The node that served before the downgrade still has 1.1, and serves again.
    serves = downgrade["before"]
    (idle,) = set(result["nodes"]) - {serves}
    assert downgrade["after"] == serves
    sentences = downgrade["shortfalls"]
    assert f"1.0 starts on none of the nodes that have it: {idle}" in sentences
    assert f"the service answers from {serves}, with 1.1" in sentences
    assert any(
        f"start of ANSWERER failed on {idle}" in sentence and "cannot read format 2" in sentence
        for sentence in sentences
    )
    assert len(downgrade["logs"]) == 2
