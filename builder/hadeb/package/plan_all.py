# SPDX-License-Identifier: Apache-2.0
"""The manifests that a call names, and the packages that they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from hadeb.bundle.load import load
from hadeb.context import Context
from hadeb.errors import Fault, ManifestError
from hadeb.manifest.model import Manifest
from hadeb.package.model import Package
from hadeb.package.plan import plan as plan_package


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """A manifest, how its file is called, and the package that it becomes."""

    file: str
    manifest: Manifest
    package: Package


def plan_all(manifests: Sequence[Path], context: Context) -> list[Planned]:
    """Plan every manifest, or raise ManifestError with the faults of all of them."""
    planned: list[Planned] = []
    faults: list[Fault] = []
    owners: dict[str, str] = {}
    for path in manifests or [Path("bundle.toml")]:
        try:
            loaded = load(context.directory / path, context)
        except ManifestError as failure:
            faults.extend(failure.faults)
            continue
        faults.extend(loaded.faults)
        if not loaded.bundle:
            continue
        text, manifest = loaded.text, loaded.bundle.manifest
        package, found = plan_package(loaded.bundle)
        owner = owners.setdefault(package.file_name, text.file)
        if owner != text.file:
            remedy = "give one of the two another name or version, or build it by itself"
            sentence = f"makes {package.file_name}, and so does {owner}; {remedy}"
            found.append((("package", "name"), sentence))
        faults.extend(text.at(found))
        planned.append(Planned(text.file, manifest, package))
    if faults:
        raise ManifestError(faults)
    return planned
