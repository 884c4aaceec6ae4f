# SPDX-License-Identifier: Apache-2.0
"""What a lab run proves: a package, the cluster it runs in, and how clients use its service."""

from __future__ import annotations

import dataclasses
import ipaddress
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hadeb.debian.releases import Suite
from hadeb.errors import UsageError
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.cluster.network import (
    NETWORK,
    PREFIX,
    Network,
    address_of,
    lab_addresses,
    network_of,
)
from hadeb.lab.node.machine import machine
from hadeb.lab.node.packages import extra_packages
from hadeb.lab.scenario.previous import Version, agent_parameters, copied, known_to
from hadeb.lab.scenario.storage import on_shared_storage
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
from hadeb.pacemaker.status import INFINITY, Status
from hadeb.package.build import build
from hadeb.package.model import Package

# As often as the monitor of the agent it is compared with, not once a minute.
_MONITOR = (OperationTable(name="monitor", interval="10s"),)
# So many failures in a row are no accident.
_OFTEN = 3
# The address of a bundle without a [cluster].
_ADDRESS = f"{NETWORK}.50"
_DESCRIBE = (
    "describe in [cluster] how the bundle runs, and in [cluster.answer] how its service answers"
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A package, how it runs, and how clients use its service.

    `service` is the resource that answers, `commands` create the resources; `upgrade` is the same
    package with a higher version. `previous` is an earlier version to upgrade from, None if the
    user named none; `installs` is the version that `deploy` installs, None for the package itself.
    `packages` are Debian packages that the nodes need for it. `prepare` is a shell script that runs
    on each node once the package is installed. `mapped` says what stands for the storage that the
    manifest names.
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
    mapped: tuple[str, ...] = ()
    previous: Version | None = None
    installs: Version | None = None

    @property
    def current(self) -> Version:
        """The package itself as a version."""
        return Version(self.version, self.deb)

    @property
    def first(self) -> Version:
        """The version that `deploy` installs."""
        return self.installs or self.current

    def earlier(self) -> Scenario:
        """The same scenario, with the earlier version installed first."""
        return dataclasses.replace(self, installs=self.previous)

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
        """Whether the service runs on several nodes."""
        return self._resource.copies

    @property
    def leader(self) -> str:
        """The resource whose node answers clients: with several copies, the address."""
        return (self.address_resource if self.copies != "one" else "") or self.service

    @property
    def _resource(self) -> ResourceTable:
        return next(table for table in self.table.resource if table.name == self.service)

    @property
    def address_resource(self) -> str:
        """The resource that holds the virtual address, empty if there is none."""
        asked = ipaddress.ip_address(self.answer.address)
        for table in self.table.resource:
            if address_of(table) == asked:
                return table.name
        return ""

    def notes(self, size: int) -> tuple[str, ...]:
        """What in a lab of so many nodes stands for what the manifest names."""
        return (*self.network(size).notes, *self.mapped)

    def network(self, size: int) -> Network:
        """What a lab of so many nodes needs for the addresses; UsageError if it has one itself."""
        return network_of(self.table, lab_addresses(size))


def scenario_of(
    manifest: Manifest,
    package: Package,
    suite: Suite,
    work: Path,
    info: Callable[[str], None] = lambda _: None,
    *,
    previous: Version | None = None,
) -> Scenario:
    """The manifest's own scenario; its packages are written below `work`.

    Without a [cluster] it has a default: the only agent, behind a virtual address, at the port that
    is the default in its meta-data. Raises UsageError if the bundle does not allow for that.
    """
    newer = f"{package.version}+lab1"
    control = tuple(
        (name, newer if name == "Version" else value) for name, value in package.control
    )
    deb, upgrade = build([package, dataclasses.replace(package, control=control)], work)
    packages = extra_packages(package, suite, previous.relations if previous else "")
    table = manifest.cluster or _default_cluster(manifest, deb.path, suite, packages, info)
    service = service_of(dataclasses.replace(manifest, cluster=table))
    answer = table.answer
    if not answer or not service:
        raise UsageError("the manifest does not say how clients use the service", hint=_DESCRIBE)
    storage = on_shared_storage(table)
    table = storage.table
    return Scenario(
        name=package.name,
        version=package.version,
        deb=deb.path,
        upgrade=upgrade.path,
        table=table,
        service=service,
        answer=answer,
        commands=_commands(table),
        packages=packages,
        previous=copied(previous, package.name, work) if previous else None,
        prepare=storage.script,
        mapped=storage.notes,
    )


def _commands(table: ClusterTable) -> tuple[str, ...]:
    """The pcs commands; the lab's corosync has its settings from the start."""
    return tuple(pcs_commands(dataclasses.replace(table, totem={})))


def with_unit(scenario: Scenario, unit: str) -> Scenario:
    """The same scenario with a systemd unit as the resource, instead of the bundle's agent.

    At each boot its daemon gets the settings that the agent writes to /run. Raises UsageError if
    the service's agent is not an OCF agent.
    """
    if not scenario.agent.startswith("ocf:"):
        raise UsageError(f"there is nothing to compare with: {scenario.agent} is not an OCF agent")
    resources = tuple(
        dataclasses.replace(table, agent=f"systemd:{unit}", parameters={}, operations=_MONITOR)
        if table.name == scenario.service
        else table
        for table in scenario.table.resource
    )
    table = dataclasses.replace(scenario.table, resource=resources, max_outage={})
    return dataclasses.replace(
        scenario,
        table=table,
        commands=_commands(table),
        prepare="\n".join((scenario.prepare, _settings_of(scenario))),
    )


def _settings_of(scenario: Scenario) -> str:
    """A shell script that has the agent start and stop once, and saves what it wrote for later."""
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
        # With this mark the crash hook would report to Pacemaker, which the plain unit does not do.
        "rm -f /etc/lab-settings/*.watched",
        f"rm -rf /run/{scenario.name}",
        f"echo 'C /run/{scenario.name} - - - - /etc/lab-settings' >/etc/tmpfiles.d/lab.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/lab.conf",
    ]
    return "\n".join(lines)


def _default_cluster(
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
    """Set the scenario up, and wait until its resources have come to rest."""
    configure(cluster, scenario)
    come_to_rest(cluster)


def configure(cluster: Cluster, scenario: Scenario) -> None:
    """Install the package on each node as an operator does, and run the cluster's commands."""
    for node in cluster.nodes:
        for deb in {scenario.deb, scenario.upgrade, scenario.first.deb}:
            node.push(deb, f"/root/{deb.name}")
        node.exec("dpkg", "--install", f"/root/{scenario.first.deb.name}")
        if scenario.prepare:
            node.sh(scenario.prepare)
    commands = scenario.commands
    if scenario.installs:
        # What an earlier version's agents do not know yet is set when they are upgraded.
        described = agent_parameters(cluster.any, scenario.table)
        commands = _commands(known_to(scenario.table, described))
    for command in commands:
        cluster.any.sh(command)


def come_to_rest(cluster: Cluster) -> None:
    """Wait until the cluster is idle; HadebError if a resource fails again and again instead."""
    cluster.settle(timeout=90, give_up=crash_loop)


def crash_loop(status: Status) -> str:
    """Which resource fails again and again, as a sentence; empty if none does."""
    for failed in status.fail_counts:
        # A start that failed is not tried again on its node: its count is infinite.
        if _OFTEN <= failed.count < INFINITY:
            return (
                f"{failed.resource} crash-loops on {failed.node}: the cluster has restarted it "
                f"{failed.count} times"
            )
    return ""
