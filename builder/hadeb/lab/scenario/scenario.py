# SPDX-License-Identifier: Apache-2.0
"""What is to be proved: a package, the cluster that it is to run in, and how it is asked."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hadeb.debian.releases import Suite
from hadeb.errors import UsageError
from hadeb.lab.cluster.cluster import NETWORK, PREFIX, Cluster
from hadeb.lab.node.machine import machine
from hadeb.lab.node.packages import extra_packages
from hadeb.manifest.cluster import (
    AnswerTable,
    ClusterTable,
    ColocationTable,
    OperationTable,
    ResourceTable,
)
from hadeb.manifest.cluster_rules import service_of
from hadeb.manifest.model import Manifest
from hadeb.pacemaker.commands import pcs_commands
from hadeb.pacemaker.ocf import agent_path, parse_meta_data
from hadeb.package.build import build
from hadeb.package.model import Package

# As often as the agents of the resources it is compared with are asked, not once a minute.
_MONITOR = (OperationTable(name="monitor", interval="10s"),)
# The address that a bundle without a [cluster] gets.
_ADDRESS = f"{NETWORK}.50"
_DESCRIBE = (
    "say in [cluster] how the bundle is meant to run, and in [cluster.answer] how it answers"
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to be proved: a package, how it runs, and how its service is asked.

    `service` is the resource that answers, `commands` make the resources; `upgrade` is the same
    package with a higher version. `packages` are those of Debian that the nodes need for it,
    `prepare` is what a shell does on each node once the package is installed.
    """

    name: str
    version: str
    deb: Path
    upgrade: Path
    table: ClusterTable
    service: str
    answer: AnswerTable
    commands: tuple[str, ...]
    packages: tuple[str, ...] = ()
    prepare: str = ""

    @property
    def agent(self) -> str:
        """The agent of the service."""
        return self._resource.agent

    @property
    def parameters(self) -> Mapping[str, str]:
        """The service's parameters."""
        return self._resource.parameters

    @property
    def copies(self) -> Literal["one", "clone", "promotable"]:
        """Whether the service runs on several nodes at once."""
        return self._resource.copies

    @property
    def leader(self) -> str:
        """The resource that is where clients are answered: of several copies, the address knows."""
        return (self.address_resource if self.copies != "one" else "") or self.service

    @property
    def _resource(self) -> ResourceTable:
        return next(one for one in self.table.resource if one.name == self.service)

    @property
    def address_resource(self) -> str:
        """The resource that holds the virtual address, empty where there is none."""
        for one in self.table.resource:
            if one.parameters.get("ip") == self.answer.address:
                return one.name
        return ""


def scenario_of(
    manifest: Manifest,
    package: Package,
    suite: Suite,
    work: Path,
    info: Callable[[str], None] = lambda _: None,
) -> Scenario:
    """The manifest's own scenario, its packages written below `work`.

    Without a [cluster] it is the obvious one: the only agent, behind a virtual address, asked at
    the port that its meta-data gives. Raises UsageError where nothing is obvious.
    """
    newer = f"{package.version}+lab1"
    control = tuple(
        (name, newer if name == "Version" else value) for name, value in package.control
    )
    deb, upgrade = build([package, dataclasses.replace(package, control=control)], work)
    packages = extra_packages(package, suite)
    table = manifest.cluster or _obvious(manifest, deb.path, suite, packages, info)
    service = service_of(dataclasses.replace(manifest, cluster=table))
    if not table.answer or not service:
        raise UsageError("the manifest does not say how clients ask the service", hint=_DESCRIBE)
    return Scenario(
        name=package.name,
        version=package.version,
        deb=deb.path,
        upgrade=upgrade.path,
        table=table,
        service=service,
        answer=table.answer,
        commands=_commands(table),
        packages=packages,
    )


def _commands(table: ClusterTable) -> tuple[str, ...]:
    """What is typed on the nodes; the lab's corosync has its settings from the start."""
    return tuple(pcs_commands(dataclasses.replace(table, totem={})))


def plain(scenario: Scenario, unit: str) -> Scenario:
    """The same with systemd's unit as the resource, instead of the bundle's agent.

    Its daemon gets the settings that the agent writes to /run, at each boot. Raises UsageError
    where the service's agent is none of OCF.
    """
    if not scenario.agent.startswith("ocf:"):
        raise UsageError(f"there is nothing to compare with: {scenario.agent} is no OCF agent")
    resources = tuple(
        dataclasses.replace(one, agent=f"systemd:{unit}", parameters={}, operations=_MONITOR)
        if one.name == scenario.service
        else one
        for one in scenario.table.resource
    )
    table = dataclasses.replace(scenario.table, resource=resources, max_outage={})
    return dataclasses.replace(
        scenario,
        table=table,
        commands=_commands(table),
        prepare=_settings_of(scenario),
    )


def _settings_of(scenario: Scenario) -> str:
    """Shell lines that have the agent start and stop once, and keep what it wrote for the boots."""
    agent = agent_path(scenario.agent)
    parameters = scenario.parameters.items()
    lines = [
        "set -eu",
        "export OCF_ROOT=/usr/lib/ocf",
        f"export OCF_RESOURCE_INSTANCE={shlex.quote(scenario.service)}",
        *(f"export OCF_RESKEY_{name}={shlex.quote(value)}" for name, value in parameters),
        f"{agent} start",
        f"cp -a /run/{scenario.name} /etc/lab-settings",
        f"{agent} stop",
        # With a mark the crash hook would call for help, which the plain unit has not.
        "rm -f /etc/lab-settings/*.watched",
        f"rm -rf /run/{scenario.name}",
        f"echo 'C /run/{scenario.name} - - - - /etc/lab-settings' >/etc/tmpfiles.d/lab.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/lab.conf",
    ]
    return "\n".join(lines)


def _obvious(
    manifest: Manifest,
    deb: Path,
    suite: Suite,
    packages: tuple[str, ...],
    info: Callable[[str], None],
) -> ClusterTable:
    if len(manifest.agent) != 1:
        raise UsageError("the bundle has several agents and no [cluster]", hint=_DESCRIBE)
    (agent,) = manifest.agent
    kind = agent.source.rpartition("/")[2]
    with machine(suite, packages=packages, info=info) as node:
        node.push(deb, "/root/bundle.deb")
        node.exec("dpkg", "--install", "/root/bundle.deb")
        path = agent_path(f"ocf:{agent.provider}:{kind}")
        described = node.exec("env", "OCF_ROOT=/usr/lib/ocf", path, "meta-data").stdout
    port = parse_meta_data(described).parameters.get("port")
    if not port or not port.default.isdecimal():
        sentence = f"{kind} has no parameter port with a default, so hadeb cannot ask its service"
        raise UsageError(sentence, hint=_DESCRIBE)
    parameters = {"ip": _ADDRESS, "cidr_netmask": str(PREFIX)}
    name = kind.upper().replace(".", "-")
    return ClusterTable(
        resource=(
            ResourceTable(name="VIP", agent="ocf:heartbeat:IPaddr2", parameters=parameters),
            ResourceTable(name=name, agent=f"ocf:{agent.provider}:{kind}"),
        ),
        colocation=(ColocationTable(resource=name, with_="VIP"),),
        service=name,
        answer=AnswerTable(address=_ADDRESS, port=int(port.default)),
    )


def deploy(cluster: Cluster, scenario: Scenario) -> None:
    """Install the package on each node as an operator does, and give the cluster its commands."""
    for node in cluster.nodes:
        path = f"/root/{scenario.deb.name}"
        node.push(scenario.deb, path)
        node.push(scenario.upgrade, f"/root/{scenario.upgrade.name}")
        node.exec("dpkg", "--install", path)
        if scenario.prepare:
            node.sh(scenario.prepare)
    for command in scenario.commands:
        cluster.any.sh(command)
    cluster.settle(timeout=90)
