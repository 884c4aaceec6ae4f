# SPDX-License-Identifier: Apache-2.0
"""The manifests that the command line names, and the packages that they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from hadeb.bundle.cluster_checks import cluster_doubts, cluster_problems
from hadeb.bundle.load import load
from hadeb.bundle.unit_checks import agent_unit_problems, resource_unit_problems
from hadeb.context import Context
from hadeb.errors import Finding, ManifestError
from hadeb.manifest.model import Manifest
from hadeb.pacemaker.ocf import MetaData
from hadeb.package.model import Package
from hadeb.package.plan import plan as plan_package

_UNIT_DIRECTORIES = ("usr/lib/systemd/system", "etc/systemd/system")


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """A manifest, the name of its file, and the package that it becomes.

    `agents` has the meta-data of the bundle's own agents by their names in a cluster, as far as it
    is certain. `doubts` are findings that may be right as they are.
    """

    file: str
    manifest: Manifest
    package: Package
    agents: Mapping[str, MetaData]
    doubts: Sequence[Finding]


def plan_all(manifests: Sequence[Path], context: Context) -> list[Planned]:
    """Plan every manifest, or raise ManifestError with everything that is wrong with any."""
    planned: list[Planned] = []
    findings: list[Finding] = []
    owners: dict[str, str] = {}
    for path in manifests or [Path("bundle.toml")]:
        try:
            loaded = load(context.directory / path, context)
        except ManifestError as failure:
            findings.extend(failure.findings)
            continue
        findings.extend(loaded.findings)
        if not loaded.bundle:
            continue
        text, manifest = loaded.text, loaded.bundle.manifest
        package, problems = plan_package(loaded.bundle)
        owner = owners.setdefault(package.file_name, text.file)
        if owner != text.file:
            remedy = "give one of the two another name or version, or build it by itself"
            sentence = f"makes {package.file_name}, and so does {owner}; {remedy}"
            problems.append((("package", "name"), sentence))
        agents = {each.name: each.meta_data for each in loaded.agents if each.meta_data}
        problems.extend(cluster_problems(loaded.bundle, agents))
        units = _units(package)
        problems.extend(resource_unit_problems(manifest, units))
        for agent in loaded.agents:
            findings.extend(agent.at(agent_unit_problems(agent.text, manifest, units)))
        findings.extend(text.at(problems))
        doubts = text.at(cluster_doubts(loaded.bundle, agents))
        planned.append(Planned(text.file, manifest, package, agents, doubts))
    if findings:
        raise ManifestError(findings)
    return planned


def _units(package: Package) -> set[str]:
    """The names of the units that the package has."""
    paths = (entry.path.rpartition("/") for entry in package.entries)
    return {name for directory, _, name in paths if directory in _UNIT_DIRECTORIES}
