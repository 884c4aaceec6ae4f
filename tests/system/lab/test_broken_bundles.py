# SPDX-License-Identifier: Apache-2.0
"""The lab explains what is wrong with a bundle: a good bundle with one planted fault."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from hadeb.debian.releases import SUITES, Suite
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault import catalogue
from hadeb.lab.scenario.scenario import Scenario, deploy
from hadeb.lab.trial import start
from support.command import ROOT, Outcome, call_hadeb
from support.samples import is_exhaustive

pytestmark = pytest.mark.usefixtures("as_root")

GOOD = ROOT / "tests/bundles/broken"


@dataclass(frozen=True, slots=True)
class Planted:
    """Texts of the good bundle with their replacements, and what the lab must report.

    `suite` is the release that the test suite tries it on; empty leaves it to `make lab-broken`,
    which tries each on both. `returns` tells whether the service comes back from the fault.
    `words` and `remedy` are of the last words and of what to change, in the report.
    """

    edits: tuple[tuple[str, str, str], ...]
    fault: str
    says: str
    suite: Suite | Literal[""] = ""
    returns: bool = True
    words: str = ""
    remedy: str = ""


_MONITOR = "answerer_monitor() {\n"
_OPERATIONS = 'operations = [{ name = "monitor", interval = "2s", timeout = "10s" }]'


PLANTED = {
    "a monitor that trusts a PID file": Planted(
        edits=(("answerer", 'systemctl --quiet is-active "$unit" ||', '[ -s "$pidfile" ] ||'),),
        fault="daemon-killed",
        says="the cluster believes that ANSWERER(-IP)? runs on ha., where nothing answers: "
        "its monitor does not check the service itself",
        suite="bookworm",
        returns=False,
    ),
    "a stop that returns before the daemon has ended": Planted(
        edits=(("answerer", "systemctl stop --job-mode", "systemctl stop --no-block --job-mode"),),
        fault="standby",
        says="stop reported success on ha. .* it returns before the daemon has ended",
        suite="trixie",
    ),
    "a start that returns too early": Planted(
        edits=(("bundle.toml", 'type = "notify"', 'type = "simple"'),),
        fault="standby",
        says="start reported success on ha. .* it returns too early, "
        "since a unit of type simple does not report readiness",
        suite="bookworm",
    ),
    "a daemon that listens after its READY=1": Planted(
        edits=(
            (
                "answererd",
                "prepare()\nserver = listen()\nready()\n",
                "ready()\nprepare()\nserver = listen()\n",
            ),
        ),
        fault="standby",
        says="start reported success on ha. .* the daemon reports readiness before it listens",
        suite="trixie",
    ),
    "a daemon that ignores TERM": Planted(
        edits=(
            ("answererd", "signal.SIGTERM, end_soon", "signal.SIGTERM, signal.SIG_IGN"),
            (
                "bundle.toml",
                _OPERATIONS,
                f'{_OPERATIONS[:-1]}, {{ name = "stop", timeout = "8s" }}]',
            ),
        ),
        fault="standby",
        says=r"stop of ANSWERER failed on ha. \(timed out after 8s\), and the node was fenced",
        remedy=r"send SIGKILL to what ignores SIGTERM .* \(it is 8 s\)",
    ),
    "a stop of what has died that fails": Planted(
        edits=(
            (
                "answerer",
                "answerer_stop() {\n",
                "answerer_stop() {\n\tanswerer_monitor || {\n"
                '\t\tocf_exit_reason "nothing to stop"\n\t\treturn "$OCF_ERR_GENERIC"\n\t}\n',
            ),
        ),
        fault="daemon-killed",
        says=r"stop of ANSWERER failed on ha. \(error( occurred)?: nothing to stop\), "
        "and the node was fenced",
        suite="bookworm",
        words=r"answerer\(ANSWERER\): ERROR: nothing to stop",
        remedy="stop of what does not run, or has died, has to succeed",
    ),
    "a monitor that takes 15 s": Planted(
        edits=(
            ("answerer", _MONITOR, f"{_MONITOR}\tocf_is_probe || sleep 15\n"),
            ("bundle.toml", _OPERATIONS, _OPERATIONS.replace("10s", "20s")),
        ),
        fault="standby",
        says="monitor of ANSWERER took 15.. s on ha., of a timeout of 20 s and an interval of 2 s",
        remedy="monitor has to answer in a fraction of its timeout",
    ),
    "a probe that errs": Planted(
        edits=(
            (
                "answerer",
                _MONITOR,
                f"{_MONITOR}\tif ocf_is_probe; then\n"
                '\t\tocf_exit_reason "no license"\n\t\treturn "$OCF_ERR_GENERIC"\n\tfi\n',
            ),
        ),
        fault="standby",
        says=r"probe of ANSWERER failed on ha. \(error( occurred)?: no license\)",
        words=r"answerer\(ANSWERER\): ERROR: no license",
        remedy="a probe asks whether the resource runs on a node where it need not",
    ),
    "a monitor that times out": Planted(
        edits=(
            ("answerer", _MONITOR, f"{_MONITOR}\tocf_is_probe || sleep 60\n"),
            ("bundle.toml", _OPERATIONS, _OPERATIONS.replace("10s", "3s")),
        ),
        fault="standby",
        says=r"monitor of ANSWERER failed( \d times)? on ha. \(timed out after 3s\)",
        suite="trixie",
        remedy="monitor has to give up before its timeout",
    ),
    "a start that never returns": Planted(
        edits=(
            (
                "answerer",
                'systemctl start "$unit" ||',
                'systemctl start "$unit" && while :; do sleep 1; done ||',
            ),
        ),
        fault="standby",
        says=r"start of ANSWERER failed on ha. \(timed out after 20s\)",
        remedy="start has to return",
    ),
}


def wait_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are enough for a service that must not return."""
    sooner = tuple(dataclasses.replace(fault, deadline=10.0) for fault in catalogue.FAULTS)
    monkeypatch.setattr(catalogue, "FAULTS", sooner)


def lab_run(bundle: Path, report: Path, suite: Suite, *names: str) -> Outcome:
    argv = ("lab", "run", "-m", bundle, "-o", report, "--suite", suite, "--nodes", "2", *names)
    return call_hadeb(*argv, directory=report.parent)


def output_of(done: Outcome) -> str:
    """The output of a run on one line, so that sentences wrapped by the table are whole."""
    return " ".join(done.stdout.split() + done.stderr.split())


def test_the_good_bundle_passes(tmp_path: Path) -> None:
    done = lab_run(GOOD, tmp_path / "report", "trixie", "daemon-killed", "standby")
    assert done.code == 0, output_of(done)


def plant(planted: Planted, bundle: Path) -> None:
    shutil.copytree(GOOD, bundle)
    for name, good, broken in planted.edits:
        text = (bundle / name).read_text(encoding="utf-8")
        assert text.count(good) == 1
        (bundle / name).write_text(text.replace(good, broken), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        (name, suite)
        for name, planted in PLANTED.items()
        for suite in SUITES
        if is_exhaustive() or suite == planted.suite
    ],
)
def test_a_planted_fault_is_found_and_named(
    name: str, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = PLANTED[name]
    if not planted.returns:
        wait_less(monkeypatch)
    plant(planted, tmp_path / "bundle")
    done = lab_run(tmp_path / "bundle", tmp_path / "report", suite, planted.fault)
    assert done.code == 4, output_of(done)
    assert re.search(planted.says, output_of(done), re.IGNORECASE), output_of(done)
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    short = [trial for trial in report["runs"][0]["trials"] if trial["shortfalls"]]
    assert all((tmp_path / "report" / log).stat().st_size for log in short[0]["logs"])
    assert len(short[0]["logs"]) == 2
    assert re.search(planted.remedy, " / ".join(short[0]["remedies"])), short[0]
    words = " / ".join(event["text"] for event in short[0]["words"])
    assert re.search(planted.words, words), short[0]


def test_an_agent_that_a_node_does_not_have_is_found_and_the_node_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deploy_with_a_gap(cluster: Cluster, scenario: Scenario) -> None:
        # As on a node whose image leaves such files out.
        left_out = "path-exclude=/usr/lib/ocf/resource.d/example/*\n"
        cluster["ha2"].write("/etc/dpkg/dpkg.cfg.d/lab", left_out)
        deploy(cluster, scenario)

    wait_less(monkeypatch)
    monkeypatch.setattr(start, "deploy", deploy_with_a_gap)
    done = lab_run(GOOD, tmp_path / "report", "bookworm", "standby")
    assert done.code == 4, output_of(done)
    assert re.search(r"ha2 cannot run ANSWERER: not installed", output_of(done)), output_of(done)
