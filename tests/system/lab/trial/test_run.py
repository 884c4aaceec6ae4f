# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab run` from the outside: real clusters, reports on disk, exit codes."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.fault.catalogue import SMOKE
from hadeb.lab.report.as_json import report_schema
from support.lab_run import copy_of_sample, private_registry, run_lab


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return private_registry(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return copy_of_sample(tmp_path)


def report(directory: Path) -> dict[str, Any]:
    """The report as JSON, which is as its schema says."""
    report: dict[str, Any] = json.loads((directory / "report.json").read_text("utf-8"))
    jsonschema.validate(report, report_schema())
    return report


@pytest.mark.usefixtures("as_root")
def test_the_sample_comes_through_the_smoke_set(
    suite: Suite, bundle: Path, registry: Path, tmp_path: Path
) -> None:
    # How fast it is, a machine that does nothing else has to say.
    manifest = bundle / "bundle.toml"
    unhurried = re.sub(r"(?s)\[cluster\.max-outage\].*?\n\n", "", manifest.read_text("utf-8"))
    assert "max-outage" not in unhurried
    manifest.write_text(unhurried, encoding="utf-8")
    done = run_lab(bundle, registry, "--smoke", "--suite", suite, "-o", tmp_path / "report")
    assert done.code == 0, done.stdout + done.stderr
    result = report(tmp_path / "report")
    assert (result["passed"], result["suite"], result["nodes"]) == (
        True,
        suite,
        ["ha1", "ha2", "ha3"],
    )
    trials = result["runs"][0]["trials"]
    assert [trial["fault"] for trial in trials] == ["started", *SMOKE]
    assert [trial["fault"] for trial in trials if not trial["passed"]] == []
    # Each of them was done to the cluster, and seen by the clients.
    assert all(trial["turns"] for trial in trials[1:])
    moved = {trial["fault"] for trial in trials[1:] if trial["before"] != trial["after"]}
    assert moved == {"standby", "node-power-cut"}
    (cut,) = [trial for trial in trials if trial["fault"] == "node-power-cut"]
    assert any("is fenced" in event["text"] for event in cut["events"])
    assert ET.parse(tmp_path / "report" / "report.xml").getroot().get("failures") == "0"
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert all(name in page for name in SMOKE)
    assert not (tmp_path / "report" / "logs").exists()
    assert all(name in done.stdout for name in SMOKE)
    assert str(tmp_path / "report" / "report.html") in done.stderr
    assert list(registry.iterdir()) == []


@pytest.mark.usefixtures("as_root")
def test_a_failed_trial_shows_in_the_report_logs_and_exit_code(
    bundle: Path, registry: Path, tmp_path: Path
) -> None:
    manifest = bundle / "bundle.toml"
    text = manifest.read_text("utf-8")
    assert "daemon-killed = 1000" in text
    manifest.write_text(text.replace("daemon-killed = 1000", "daemon-killed = 1"), "utf-8")
    done = run_lab(bundle, registry, "daemon-killed", "--nodes", "2", "--json", "-q", "-o", "short")
    assert (done.code, done.stderr) == (4, "")
    result = json.loads(done.stdout)
    assert result == report(tmp_path / "short")
    assert result["passed"] is False
    started, killed = result["runs"][0]["trials"]
    assert started["passed"]
    (sentence,) = killed["shortfalls"]
    assert sentence.endswith("where max-outage allows 0.001 s")
    assert len(killed["logs"]) == 2
    assert all((tmp_path / "short" / path).read_text("utf-8") for path in killed["logs"])
    texts = [event["text"] for event in killed["events"]]
    assert "told Pacemaker that TCP-SERVER ended" in texts
    assert "sample-tcp-server@TCP-SERVER ended (killed 9/KILL)" in texts
    assert ET.parse(tmp_path / "short" / "report.xml").getroot().get("failures") == "1"


@pytest.mark.usefixtures("as_root")
def test_a_bundle_that_starts_nowhere_is_reported_and_no_fault_is_tried(
    bundle: Path, registry: Path, tmp_path: Path
) -> None:
    daemon = bundle / "bundle.toml"
    text = daemon.read_text("utf-8")
    daemon.write_text(text.replace("--settings %t", "--setting %t"), encoding="utf-8")
    done = run_lab(bundle, registry, "daemon-killed", "--nodes", "2", "-o", tmp_path / "short")
    assert done.code == 4
    (started,) = report(tmp_path / "short")["runs"][0]["trials"]
    assert (started["fault"], started["outage"]) == ("started", None)
    assert any("start of TCP-SERVER failed on ha1" in told for told in started["shortfalls"])
    assert any("start failed" in remedy for remedy in started["remedies"])
    words = [word["text"] for word in started["words"]]
    assert any("--setting: unknown argument" in text for text in words), words
    assert any("Main process exited" in text for text in words), words
    assert any("start of TCP-SERVER failed" in event["text"] for event in started["events"])
    for path in started["logs"]:
        assert re.match(
            r" +[+-]\d+\.\d{3}  \d+\.\d+ ha\d ", (tmp_path / "short" / path).read_text()
        )


@pytest.mark.usefixtures("as_root")
def test_a_bundle_without_a_cluster_is_proved_in_the_obvious_one(
    bundle: Path, registry: Path, tmp_path: Path
) -> None:
    manifest = bundle / "bundle.toml"
    before, _, rest = manifest.read_text("utf-8").partition("[cluster]\n")
    agent = '[[agent]]\nprovider = "kamaboko"\nsource = "agents/sample-resource"\n'
    assert agent in before
    changelog = "[[changelog]]" + rest.partition("[[changelog]]")[2]
    manifest.write_text(before.replace(agent, "") + changelog, encoding="utf-8")
    done = run_lab(bundle, registry, "daemon-killed", "--nodes", "2", "-o", tmp_path / "report")
    assert done.code == 0, done.stdout + done.stderr
    result = report(tmp_path / "report")
    assert result["runs"][0]["label"] == "ocf:kamaboko:sample-tcp-server"
    assert any("ocf:heartbeat:IPaddr2" in command for command in result["commands"])
    started, killed = result["runs"][0]["trials"]
    # Its answers are not described; who gave them is known from the cluster.
    assert started["after"] == killed["before"] == killed["after"]
    assert {turn["who"] for turn in killed["turns"]} == {killed["before"]}
    assert list(registry.iterdir()) == []
