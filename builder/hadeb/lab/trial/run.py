# SPDX-License-Identifier: Apache-2.0
"""A whole `hadeb lab run`: boot a cluster, deploy the bundle, and try the faults one by one.

On request it does the same again with the plain systemd unit, to compare.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hadeb.debian.releases import Suite
from hadeb.errors import HadebError, UsageError
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.catalogue import UPGRADE, Fault
from hadeb.lab.host.registry import require_host, scratch
from hadeb.lab.node.image import image
from hadeb.lab.report.write import clear_reports
from hadeb.lab.scenario.previous import previous_version
from hadeb.lab.scenario.scenario import Scenario, scenario_of, with_unit
from hadeb.lab.trial.record import Record
from hadeb.lab.trial.start import START, start, versions
from hadeb.lab.trial.trial import ClusterLost, attempt
from hadeb.lab.verdict.result import LeftOut, Report, Run, Trial, Version
from hadeb.manifest.model import Manifest
from hadeb.package.model import Package
from hadeb.package.state import state_of


def run_lab(
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
    previous: Path | None = None,
) -> Report:
    """Try the faults, with logs below `directory`; `info` reports each trial, `debug` each step.

    `previous` is the package file of an earlier version, which the fault `upgrade` goes up from.
    """
    if compare and not manifest.service:
        raise UsageError("there is nothing to compare with: the bundle has no [service]")
    earlier = previous_version(previous, package) if previous else None
    _check(suite, directory, info)
    begun, clock = datetime.datetime.now(datetime.UTC), time.monotonic()

    def trials(scenario: Scenario, logs: str) -> Trials:
        where = directory / logs
        return Trials(scenario, suite=suite, size=size, logs=where, debug=debug, info=info)

    with scratch() as work:
        own = scenario_of(manifest, package, suite, work, info, previous=earlier)
        _list(own.notes(size), info)
        other = with_unit(own, f"{package.name}@{own.service}") if compare else None
        first = trials(own, "logs")
        runs = [first.run(faults)]
        if other:
            info(f"the same faults, with {other.agent}")
            runs.append(trials(other, "logs-plain").run(faults))
    return Report(
        package=own.name,
        version=own.version,
        suite=suite,
        nodes=first.nodes,
        commands=own.commands,
        mapped=own.notes(size),
        data=tuple(each.sentence for each in state_of(manifest, package)),
        began=begun.isoformat(timespec="seconds"),
        ready=first.ready,
        seconds=time.monotonic() - clock,
        runs=tuple(runs),
        versions=first.versions,
    )


def _list(notes: Sequence[str], info: Callable[[str], None]) -> None:
    for note in notes:
        info(note)


def _check(suite: Suite, directory: Path, info: Callable[[str], None]) -> None:
    """Find in a second what would fail after ten minutes, and make the image, which takes long."""
    require_host()
    clear_reports(directory)
    image(suite, info=info)


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a run: a trial that has ended, or the reason why a fault is left out."""

    fault: str
    trial: Trial | None
    reason: str = ""


def _line(progress: Progress) -> str:
    trial = progress.trial
    if not trial:
        return f"{progress.fault:<18} left out: {progress.reason}"
    word = "ok" if trial.passed else "FELL SHORT"
    seconds = trial.outage
    gone = "did not come up" if trial.fault == START else "did not come back"
    if seconds is not None:
        gone = f"no answer for {seconds:.2f} s"
    lines = [f"{progress.fault:<18} {word}, {gone}"]
    lines += [f"    {shortfall}" for shortfall in trial.shortfalls]
    return "\n".join(lines)


class Trials:
    """The trials of one scenario. `ready` is how many seconds its first cluster took to boot."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        suite: Suite,
        size: int,
        logs: Path,
        debug: Callable[[str], None],
        info: Callable[[str], None],
    ) -> None:
        self.scenario = scenario
        self.suite: Suite = suite
        self.size = size
        self.logs = logs
        self.ready = 0.0
        self.nodes: tuple[str, ...] = ()
        self.versions: tuple[Version, ...] = ()
        self.left_out: list[LeftOut] = []
        self._debug = debug
        self._info = info

    def run(self, faults: Sequence[Fault]) -> Run:
        """Try each fault; if the cluster does not come back, boot a new one for the next fault."""
        left = list(faults)
        ended: list[Trial] = []
        while left or not ended:
            try:
                ended.extend(self._on_one_cluster(left, first=not ended))
            except HadebError as error:
                if not ended:
                    raise
                # The results so far are worth a report.
                rest = ", ".join(fault.name for fault in left) or "nothing"
                ended.append(self._ended(_broken("lab", f"{error.message}; not tried: {rest}")))
                break
            if ended[0].fault == START and not ended[0].after:
                break
        return Run(self.scenario.agent, tuple(ended), tuple(self.left_out))

    def _on_one_cluster(self, left: list[Fault], *, first: bool) -> Iterator[Trial]:
        begun = time.monotonic()
        with Cluster(
            self.suite,
            size=self.size,
            fencing=True,
            totem=self.scenario.table.totem,
            packages=self.scenario.packages,
            network=self.scenario.network(self.size),
            # The boot is one step of the run.
            info=self._debug,
        ) as cluster:
            if first:
                self.ready = time.monotonic() - begun
                self.nodes = tuple(node.name for node in cluster.nodes)
                self.versions = versions(cluster)
            going_up = bool(left) and left[0].name == UPGRADE
            scenario = self.scenario.earlier() if going_up else self.scenario
            self._debug(f"installing {scenario.first.deb.name}, and starting its resources")
            trial = start(cluster, scenario, self.logs)
            if first or not trial.after:
                yield self._ended(trial)
            if not trial.after:
                left.clear()
            while left:
                fault, since = left.pop(0), time.time()
                self._debug(f"trying {fault.name}")
                try:
                    outcome = attempt(cluster, self.scenario, fault, self.logs)
                except ClusterLost as failure:
                    yield self._ended(failure.trial)
                    return
                except HadebError as error:
                    record = Record.read(cluster, self.logs, since=since, zero=since)
                    logs, lost = record.write(fault.name)
                    broken = _broken(fault.name, error.message)
                    yield self._ended(replace(broken, logs=logs, remedies=lost))
                    return
                if isinstance(outcome, str):
                    self.left_out.append(LeftOut(fault.name, outcome))
                    self._info(_line(Progress(fault.name, None, outcome)))
                    continue
                yield self._ended(outcome)
                if fault.name == UPGRADE and not outcome.passed:
                    # The other faults are for the bundle's version, on a cluster that has only it.
                    return

    def _ended(self, trial: Trial) -> Trial:
        self._info(_line(Progress(trial.fault, trial)))
        return trial


def _broken(fault: str, why: str) -> Trial:
    """The trial of a fault that the lab could not try to its end."""
    return Trial(
        fault=fault,
        did="the lab could not try it",
        expected="every fault can be tried",
        seconds=0.0,
        shortfalls=(why,),
    )
