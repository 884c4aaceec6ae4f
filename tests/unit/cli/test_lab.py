# SPDX-License-Identifier: Apache-2.0
"""The lab's command line: what makes no sense is refused before anything boots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hadeb.lab.fault.catalogue import SMOKE
from support.command import ROOT, call_hadeb
from support.lab_run import copy_of_sample, private_registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return private_registry(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return copy_of_sample(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "--smoke", "standby"), "--smoke chooses the faults itself"),
        (("run", "nonesuch"), "there is no fault nonesuch"),
        (("run", "--nodes", "1"), "1 is not in the range 2<=x<=5"),
        (("run", "--suite", "buster"), "buster"),
        (("run", "--from-repo", "."), "--from-repo needs the version: --from VERSION"),
        (("run", "upgrade"), "upgrade: there is no earlier version"),
        (("up", "--nodes", "6"), "6 is not in the range 2<=x<=5"),
        (("exec", "ha1"), "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_booted(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = call_hadeb("lab", *arguments, directory=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_a_bundle_with_nothing_to_compare_with_is_refused(tmp_path: Path) -> None:
    bundle = ROOT / "tests/manifests/valid/agents-only"
    done = call_hadeb("lab", "run", "--compare", "-m", bundle, directory=tmp_path)
    assert done.code == 2
    assert "nothing to compare with" in done.stderr


def test_a_wrong_manifest_is_reported_as_build_reports_it(tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text("name = 1\n", encoding="utf-8")
    built, run = (call_hadeb(*words, directory=tmp_path) for words in (("build",), ("lab", "run")))
    assert run.code == 3
    assert run.stderr == built.stderr


def test_the_faults_are_listed_as_run_takes_them(tmp_path: Path) -> None:
    faults = json.loads(call_hadeb("lab", "faults", "--json", directory=tmp_path).stdout)
    assert [fault["name"] for fault in faults if fault["smoke"]] == list(SMOKE)
    shown = call_hadeb("lab", "faults", directory=tmp_path).stdout
    assert all(fault["name"] in shown for fault in faults)
    assert "{node}" not in shown


def test_a_budget_for_a_fault_that_is_misspelled_never_counts(bundle: Path, tmp_path: Path) -> None:
    manifest = bundle / "bundle.toml"
    text = manifest.read_text("utf-8").replace("daemon-killed = 1000", "deamon-killed = 1000")
    manifest.write_text(text, encoding="utf-8")
    done = call_hadeb("lab", "run", "-m", bundle, directory=tmp_path)
    assert (done.code, done.stdout) == (3, "")
    sentence = "is no fault (did you mean 'daemon-killed'?); `hadeb lab faults` lists them"
    assert f": cluster.max-outage.deamon-killed: {sentence}\n" in done.stderr
