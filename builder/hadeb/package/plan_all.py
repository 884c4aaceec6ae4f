# SPDX-License-Identifier: Apache-2.0
"""The manifests that the command line names, and the packages that they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from hadeb.bundle.load import load
from hadeb.context import Context
from hadeb.errors import Finding, ManifestError
from hadeb.manifest.model import Manifest
from hadeb.package.model import Package
from hadeb.package.plan import plan as plan_package


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """A manifest, the name of its file, and the package that it becomes."""

    file: str
    manifest: Manifest
    package: Package


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
        findings.extend(text.at(problems))
        planned.append(Planned(text.file, manifest, package))
    if findings:
        raise ManifestError(findings)
    return planned
