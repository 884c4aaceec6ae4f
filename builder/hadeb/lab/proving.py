# SPDX-License-Identifier: Apache-2.0
"""A whole `hadeb lab run`: the bundle's own proof, and where it is asked for, the plain one's."""

from __future__ import annotations

import datetime
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hadeb.errors import UsageError
from hadeb.lab.faults import Fault
from hadeb.lab.prove import Progress, Proof
from hadeb.lab.result import Report, Run
from hadeb.lab.scenario import Scenario, plain, scenario_of
from hadeb.model import Manifest
from hadeb.package import Package
from hadeb.suite import Suite

_LOGS = "logs"


def prove(
    manifest: Manifest,
    package: Package,
    faults: Sequence[Fault],
    *,
    suite: Suite,
    size: int,
    compare: bool,
    directory: Path,
    say: Callable[[str], None],
    tell: Callable[[str], None],
) -> Report:
    """Try the faults; `say` hears what is going on, `tell` how each trial ended.

    Logs of trials that fell short go below `directory`.
    """
    if compare and not manifest.service:
        raise UsageError("there is nothing to compare with: the bundle has no [service]")
    begun, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    shutil.rmtree(directory / _LOGS, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        own = scenario_of(manifest, package, suite, Path(work))

        def run(scenario: Scenario, logs: Path) -> tuple[Proof, Run]:
            proof = Proof(
                scenario,
                suite=suite,
                size=size,
                logs=logs,
                say=say,
                tell=lambda progress: tell(_line(progress)),
            )
            return proof, Run(scenario.agent, proof.run(faults))

        first, found = run(own, directory / _LOGS)
        runs = [found]
        if compare:
            unit = f"{package.name}@{own.service}"
            tell(f"the same faults, with systemd:{unit}")
            runs.append(run(plain(own, unit), directory / f"{_LOGS}-plain")[1])
    return Report(
        package=own.name,
        version=own.version,
        suite=suite,
        nodes=first.nodes,
        commands=own.commands,
        began=begun.isoformat(timespec="seconds"),
        ready=first.ready,
        seconds=time.monotonic() - clock,
        runs=tuple(runs),
    )


def _line(progress: Progress) -> str:
    trial = progress.trial
    if not trial:
        return f"{progress.fault:<18} left out: {progress.reason}"
    word = "ok" if trial.passed else "FELL SHORT"
    seconds = trial.outage
    gone = "did not come back" if seconds is None else f"no answer for {seconds:.2f} s"
    lines = [f"{progress.fault:<18} {word}, {gone}"]
    return "\n".join([*lines, *(f"    {one}" for one in trial.shortfalls)])
