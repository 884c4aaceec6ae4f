# SPDX-License-Identifier: Apache-2.0
"""The lab explains what is wrong with a bundle: a good bundle with one planted fault."""

from __future__ import annotations

import dataclasses
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault import catalogue
from hadeb.lab.scenario.scenario import Scenario, deploy
from hadeb.lab.trial import run
from support.command import ROOT, Outcome, call_hadeb

pytestmark = pytest.mark.usefixtures("as_root")

GOOD = ROOT / "tests/bundles/broken"


@dataclass(frozen=True, slots=True)
class Planted:
    """A text of the good bundle, its replacement, and what the lab must report.

    `returns` tells whether the service comes back from the fault.
    """

    file: str
    good: str
    broken: str
    fault: str
    says: str
    suite: Suite
    returns: bool = True


PLANTED = {
    "a monitor that trusts a PID file": Planted(
        file="answerer",
        good='systemctl --quiet is-active "$unit" ||',
        broken='[ -s "$pidfile" ] ||',
        fault="daemon-killed",
        says="the cluster believes that ANSWERER(-IP)? runs on ha., where nothing answers: "
        "its monitor does not check the service itself",
        suite="bookworm",
        returns=False,
    ),
    "a stop that returns before the daemon has ended": Planted(
        file="answerer",
        good="systemctl stop --job-mode",
        broken="systemctl stop --no-block --job-mode",
        fault="standby",
        says="stop reported success on ha. .* it returns before the daemon has ended",
        suite="trixie",
    ),
    "a start that returns too early": Planted(
        file="bundle.toml",
        good='type = "notify"',
        broken='type = "simple"',
        fault="standby",
        says="start reported success on ha. .* it returns too early, "
        "since a unit of type simple does not report readiness",
        suite="bookworm",
    ),
    "a daemon that listens after its READY=1": Planted(
        file="answererd",
        good="prepare()\nserver = listen()\nready()\n",
        broken="ready()\nprepare()\nserver = listen()\n",
        fault="standby",
        says="start reported success on ha. .* the daemon reports readiness before it listens",
        suite="trixie",
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


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = PLANTED[name]
    if not planted.returns:
        wait_less(monkeypatch)
    bundle = tmp_path / "bundle"
    shutil.copytree(GOOD, bundle)
    text = (bundle / planted.file).read_text(encoding="utf-8")
    assert text.count(planted.good) == 1
    (bundle / planted.file).write_text(text.replace(planted.good, planted.broken), encoding="utf-8")
    done = lab_run(bundle, tmp_path / "report", planted.suite, planted.fault)
    assert done.code == 4, output_of(done)
    assert re.search(planted.says, output_of(done)), output_of(done)


def test_an_agent_that_a_node_does_not_have_is_found_and_the_node_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deploy_with_a_gap(cluster: Cluster, scenario: Scenario) -> None:
        # As on a node whose image leaves such files out.
        left_out = "path-exclude=/usr/lib/ocf/resource.d/example/*\n"
        cluster["ha2"].write("/etc/dpkg/dpkg.cfg.d/lab", left_out)
        deploy(cluster, scenario)

    wait_less(monkeypatch)
    monkeypatch.setattr(run, "deploy", deploy_with_a_gap)
    done = lab_run(GOOD, tmp_path / "report", "bookworm", "standby")
    assert done.code == 4, output_of(done)
    assert re.search(r"ha2 cannot run ANSWERER: not installed", output_of(done)), output_of(done)
