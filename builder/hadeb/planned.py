# SPDX-License-Identifier: Apache-2.0
"""The manifests that a call names, and the packages that they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from hadeb.context import Context
from hadeb.errors import Fault, ManifestError
from hadeb.load import load
from hadeb.model import Manifest
from hadeb.package import Package
from hadeb.plan import plan as plan_package


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
            bundle, text = load(context.directory / path, context)
        except ManifestError as failure:
            faults.extend(failure.faults)
            continue
        package, found = plan_package(bundle)
        faults.extend(text.at(found))
        owner = owners.setdefault(package.file_name, text.file)
        if owner != text.file:
            sentence = f"makes {package.file_name}, and so does {owner}"
            faults.append(Fault(text.file, 0, "", sentence))
        planned.append(Planned(text.file, bundle.manifest, package))
    if faults:
        raise ManifestError(faults)
    return planned
