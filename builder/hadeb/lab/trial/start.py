# SPDX-License-Identifier: Apache-2.0
"""The first trial: the package is installed, and its resources start and stay up."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hadeb import __version__
from hadeb.errors import HadebError
from hadeb.lab.client.answers import to_service
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.fault.catalogue import Fault
from hadeb.lab.scenario.scenario import Scenario, come_to_rest, configure, crash_loop, deploy
from hadeb.lab.trial.record import Record, with_findings
from hadeb.lab.verdict.advice import slow_remedy, slow_sentence
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import cluster_shortfalls
from hadeb.lab.verdict.result import Trial, Version
from hadeb.pacemaker.cib import not_installed
from hadeb.pacemaker.operations import slow_monitors

START = "started"
# Not of the catalogue: nothing is done to the cluster, so nothing may fail.
_STARTED = Fault(
    START, "the package was installed on all nodes, and its resources were created", "returns"
)
# Seconds that a service has for its first answer, and is watched from then on; and how many of the
# latest requests have to be lost before it counts as gone.
_ANSWERS, _STAYS, _LATEST = 30.0, 8.0, 50
_PROGRAMS = ("pacemaker", "corosync", "systemd", "pcs", "resource-agents")


def start(cluster: Cluster, scenario: Scenario, logs: Path) -> Trial:
    """Install the package and configure the cluster; its shortfalls are what went wrong.

    `after` is empty if no fault can be tried on this cluster. Logs go below the directory `logs`.
    """
    begun, complaint = time.time(), ""
    try:
        deploy(cluster, scenario)
    except HadebError as error:
        complaint = error.message
    return _judge(cluster, scenario, logs, begun, complaint)


def bring_up(cluster: Cluster, scenario: Scenario, logs: Path) -> Trial:
    """The same, and then look whether the service stays up for a while.

    Raises HadebError if the cluster takes the package or its commands not at all.
    """
    begun, complaint = time.time(), ""
    configure(cluster, scenario)
    try:
        come_to_rest(cluster)
        _stay_up(cluster, scenario)
    except HadebError as error:
        complaint = error.message
    return _judge(cluster, scenario, logs, begun, complaint)


def _stay_up(cluster: Cluster, scenario: Scenario) -> None:
    """Ask the service for a while; HadebError if it never answers, or a resource crash-loops."""
    with cluster.watch(scenario.answer) as watch:
        watch.until(
            lambda answers: any(answer.who for answer in to_service(answers)),
            timeout=_ANSWERS,
            what=f"all resources are started, but {scenario.answer.address} gave no right answer",
        )
        end = time.monotonic() + _STAYS
        while time.monotonic() < end:
            if why := crash_loop(cluster.status()):
                raise HadebError(why)
            time.sleep(0.5)
        latest = to_service(watch.answers)[-_LATEST:]
        if not any(answer.who for answer in latest):
            why = next((answer.error for answer in latest if answer.error), "a wrong answer")
            raise HadebError(f"the service answered, and then stopped answering: {why}")


def _judge(cluster: Cluster, scenario: Scenario, logs: Path, zero: float, complaint: str) -> Trial:
    record = Record.read(cluster, logs, since=zero, zero=zero)
    evidence = record.evidence(_STARTED, scenario, cluster)
    complaints = [*([complaint] if complaint else []), *cluster_shortfalls(evidence)]
    node, slow = "", []
    # A cluster that is gone has been complained of.
    with suppress(HadebError):
        complaints += _missing(cluster, scenario, complaints)
        node = cluster.where(scenario.leader) or ""
        slow = slow_monitors(cluster.any.exec("cibadmin", "--query").stdout)
    trial = Trial(
        fault=START,
        did=_STARTED.did,
        expected="every node can run the service, and one does",
        seconds=time.time() - zero,
        outage=None if complaints else 0.0,
        after="" if complaints else node,
        shortfalls=(*complaints, *map(slow_sentence, slow)),
        remedies=tuple(
            slow_remedy(monitor, evidence.agent(monitor.schedule.resource)) for monitor in slow
        ),
    )
    where = {(monitor.schedule.resource, monitor.node) for monitor in slow}
    late = [
        operation
        for operation in evidence.operations
        if operation.action == "monitor"
        and operation.succeeded
        and (operation.resource, operation.node) in where
    ]
    return with_findings(trial, _ended(evidence), record, late)


def _ended(evidence: Evidence) -> Evidence:
    """The evidence as of now: nothing is restored after a start."""
    last = max((operation.at for operation in evidence.operations), default=0.0)
    return dataclasses.replace(evidence, ended=last + 1)


def _missing(cluster: Cluster, scenario: Scenario, complaints: list[str]) -> Iterator[str]:
    status = cluster.status()
    if not complaints:
        for failure in status.failures:
            yield f"it failed before anything was done to it: {failure}"
    yield from not_installed(cluster.any.exec("cibadmin", "--query", "--scope=status").stdout)
    if not complaints and not status.location(scenario.service):
        yield f"the cluster starts {scenario.service} nowhere"


def versions(cluster: Cluster) -> tuple[Version, ...]:
    """The versions of hadeb, and of the nodes' programs as dpkg has them."""
    listed = ""
    with suppress(HadebError):
        shown = "--showformat=${Package} ${Version}\\n"
        listed = cluster.any.exec("dpkg-query", "--show", shown, *_PROGRAMS, check=False).stdout
    installed = dict(re.findall(r"^(\S+) (\S+)$", listed, re.MULTILINE))
    nodes = [Version(name, installed[name]) for name in _PROGRAMS if name in installed]
    return (Version("hadeb", __version__), *nodes)
