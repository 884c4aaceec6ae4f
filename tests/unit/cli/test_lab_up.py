# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab up` ends with 1 where the bundle does not run, and leaves the lab up to look into."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from hadeb import interrupt
from hadeb.lab.cluster import cluster
from hadeb.lab.host import registry
from hadeb.lab.scenario import scenario
from hadeb.lab.trial import start
from hadeb.lab.verdict.result import Event, Trial
from hadeb.package import plan_all
from support.command import Outcome, call_hadeb

LOOP = Trial(
    fault="started",
    did="",
    expected="",
    seconds=20.0,
    outage=None,
    shortfalls=("TICK crash-loops on ha1: the cluster has restarted it 3 times",),
    remedies=("ocf:example:tickd: the daemon ended",),
    words=(Event(1.5, "ha1", "tickd: no such file", "words"),),
    logs=("logs/started-ha1.log", "logs/started-ha2.log"),
)


class FakeCluster:
    """Is up as soon as it is entered, and remembers whether it is to stay."""

    namespaces = SimpleNamespace(id="abc123")
    persistent = False

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def persist(self, _: object) -> None:
        FakeCluster.persistent = True


def up(monkeypatch: pytest.MonkeyPatch, directory: Path, trial: Trial) -> Outcome:
    @contextlib.contextmanager
    def scratch() -> Iterator[Path]:
        yield directory

    planned = SimpleNamespace(manifest=None, package=None)
    described = SimpleNamespace(
        table=SimpleNamespace(totem={}),
        packages=(),
        deb=Path("tickd.deb"),
        network=lambda _: None,
        notes=lambda _: (),
    )
    monkeypatch.setattr(FakeCluster, "persistent", False)
    monkeypatch.setattr(cluster, "Cluster", FakeCluster)
    monkeypatch.setattr(registry, "scratch", scratch)
    monkeypatch.setattr(plan_all, "plan_all", lambda *_: [planned])
    monkeypatch.setattr(scenario, "scenario_of", lambda *_: described)
    monkeypatch.setattr(start, "bring_up", lambda *_: trial)
    monkeypatch.setattr(interrupt, "ignore", lambda: None)
    return call_hadeb("lab", "up", directory=directory)


def test_a_lab_whose_resource_crash_loops_ends_with_1_and_stays_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done = up(monkeypatch, tmp_path, LOOP)
    assert (done.code, done.stdout) == (1, "abc123\n")
    assert FakeCluster.persistent
    for text in (
        "TICK crash-loops on ha1",
        "ocf:example:tickd: the daemon ended",
        "ha1 +1.50 s tickd: no such file",
        "lab-report/logs/started-ha1.log",
        "the lab abc123 stays up",
        "hadeb lab down abc123",
    ):
        assert text in done.stderr


def test_a_lab_that_is_well_ends_with_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = up(monkeypatch, tmp_path, Trial("started", "", "", 20.0, after="ha1"))
    assert (done.code, done.stdout) == (0, "abc123\n")
    assert FakeCluster.persistent
