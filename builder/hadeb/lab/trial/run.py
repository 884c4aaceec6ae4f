# SPDX-License-Identifier: Apache-2.0
"""A whole `hadeb lab run`: the bundle's own proof, and where it is asked for, the plain one's."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hadeb.debian.releases import Suite
from hadeb.errors import UsageError
from hadeb.lab.fault.catalogue import FAULTS, Fault
from hadeb.lab.host.registry import require_host, scratch
from hadeb.lab.node.image import image
from hadeb.lab.report.write import clear_reports
from hadeb.lab.scenario.scenario import Scenario, plain, scenario_of
from hadeb.lab.trial.prove import Progress, Proof
from hadeb.lab.verdict.result import Report, Run
from hadeb.manifest.model import Manifest
from hadeb.package.model import Package


def prove(
    manifest: Manifest,
    package: Package,
    faults: Sequence[Fault],
    *,
    suite: Suite,
    size: int,
    compare: bool,
    directory: Path,
    info: Callable[[str], None],
    debug: Callable[[str], None],
) -> Report:
    """Try the faults; `info` reports how each trial ends, `debug` each step.

    Logs of trials that fell short go below `directory`.
    """
    if compare and not manifest.service:
        raise UsageError("there is nothing to compare with: the bundle has no [service]")
    _ready(manifest, suite, directory, info)
    begun, clock = datetime.datetime.now(datetime.UTC), time.monotonic()

    def proof(scenario: Scenario, logs: str) -> Proof:
        return Proof(
            scenario,
            suite=suite,
            size=size,
            logs=directory / logs,
            debug=debug,
            report=lambda progress: info(_line(progress)),
        )

    with scratch() as work:
        own = scenario_of(manifest, package, suite, work, info)
        other = plain(own, f"{package.name}@{own.service}") if compare else None
        first = proof(own, "logs")
        runs = [Run(own.agent, first.run(faults))]
        if other:
            info(f"the same faults, with {other.agent}")
            runs.append(Run(other.agent, proof(other, "logs-plain").run(faults)))
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


def _check_budgets(manifest: Manifest) -> None:
    known = {fault.name for fault in FAULTS}
    budgets = manifest.cluster.max_outage if manifest.cluster else {}
    if unknown := sorted(set(budgets) - known):
        raise UsageError(
            f"cluster.max-outage: there is no fault {', '.join(unknown)}",
            hint="`hadeb lab faults` lists them",
        )


def _ready(manifest: Manifest, suite: Suite, directory: Path, info: Callable[[str], None]) -> None:
    """Find out in a second what would fail in ten minutes; and make the image, which takes long."""
    _check_budgets(manifest)
    require_host()
    clear_reports(directory)
    image(suite, info=info)


def _line(progress: Progress) -> str:
    trial = progress.trial
    if not trial:
        return f"{progress.fault:<18} left out: {progress.reason}"
    word = "ok" if trial.passed else "FELL SHORT"
    seconds = trial.outage
    gone = "did not come back" if seconds is None else f"no answer for {seconds:.2f} s"
    lines = [f"{progress.fault:<18} {word}, {gone}"]
    return "\n".join([*lines, *(f"    {one}" for one in trial.shortfalls)])
