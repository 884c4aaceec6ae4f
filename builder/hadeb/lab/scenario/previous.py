# SPDX-License-Identifier: Apache-2.0
"""The package file of an earlier version, from which `hadeb lab run --from` upgrades."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.deb822 import fields, paragraphs
from hadeb.debian.version import version_key
from hadeb.errors import CommandFailed, HadebError, UsageError
from hadeb.lab.node.node import Node
from hadeb.manifest.cluster import ClusterTable
from hadeb.pacemaker.ocf import agent_path, parse_meta_data
from hadeb.package.model import Package
from hadeb.run import run

_ANOTHER = "name an earlier version of the bundle's own package with --from"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the package, and its file; `relations` are its Pre-Depends and Depends."""

    version: str
    deb: Path
    relations: str = ""


# An agent's parameters with their defaults.
Parameters = Mapping[str, str]


def previous_version(file: Path, package: Package) -> Version:
    """The version in a .deb; UsageError if the package cannot be upgraded from it."""
    if not file.is_file():
        raise UsageError(f"--from {file}: there is no such file", hint=_ANOTHER)
    try:
        text = run(["dpkg-deb", "--field", str(file)]).stdout
        control = fields(next(paragraphs(text), ""))
        name, version = control["package"], control["version"]
        architecture = control["architecture"]
    except (CommandFailed, KeyError) as error:
        cause = f": {error.message}" if isinstance(error, CommandFailed) else ""
        raise UsageError(f"--from {file} is not a Debian package{cause}", hint=_ANOTHER) from error
    _check_identity(file, package, name, architecture)
    _check_order(file, package, version)
    relations = ", ".join(control.get(key, "") for key in ("pre-depends", "depends"))
    return Version(version, file, relations.strip(", "))


def copied(version: Version, name: str, work: Path) -> Version:
    """The version with a copy of its file below `work`, named so that no other file is.

    The copy stays the same if the user builds the file again during a long run.
    """
    copy = work / f"{name}_from.deb"
    shutil.copyfile(version.deb, copy)
    return dataclasses.replace(version, deb=copy)


def node_architecture() -> str:
    """The architecture of the lab's nodes, which is this machine's."""
    return run(["dpkg", "--print-architecture"]).stdout.strip()


def _check_identity(file: Path, package: Package, name: str, architecture: str) -> None:
    if name != package.name:
        raise UsageError(
            f"--from {file} is the package {name}, but the bundle makes {package.name}",
            hint=_ANOTHER,
        )
    if architecture in {"all", package.architecture}:
        return
    machine = node_architecture()
    if architecture != machine:
        raise UsageError(
            f"--from {file} is for {architecture}, but the lab's nodes are {machine}",
            hint=f"name the file for {machine}",
        )


def _check_order(file: Path, package: Package, version: str) -> None:
    if version_key(version) == version_key(package.version):
        raise UsageError(
            f"--from {file} is {version}, the same version as the bundle's",
            hint="raise package.version in the manifest, or name an earlier version's file",
        )
    if version_key(version) > version_key(package.version):
        raise UsageError(
            f"--from {file} is {version}, newer than the bundle's {package.version}",
            hint="name an earlier version's file; the run goes up from it, and down again",
        )


def agent_parameters(node: Node, table: ClusterTable) -> dict[str, Parameters]:
    """The parameters of each OCF agent of the cluster, in the version that a node has."""
    described: dict[str, Parameters] = {}
    for agent in sorted({resource.agent for resource in table.resource}):
        path = agent_path(agent)
        argv = ("env", "OCF_ROOT=/usr/lib/ocf", path, "meta-data")
        with suppress(HadebError):
            text = node.exec(*argv, check=False).stdout if path else ""
            values = parse_meta_data(text).parameters.values()
            described[agent] = {parameter.name: parameter.default for parameter in values}
    return described


def known_to(table: ClusterTable, agents: Mapping[str, Parameters]) -> ClusterTable:
    """The cluster without the parameters that its agents do not have in this version."""
    resources = tuple(
        dataclasses.replace(
            resource,
            parameters={
                name: value
                for name, value in resource.parameters.items()
                if name in agents.get(resource.agent, resource.parameters)
            },
        )
        for resource in table.resource
    )
    return dataclasses.replace(table, resource=resources)
