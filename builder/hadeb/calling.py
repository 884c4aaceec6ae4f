# SPDX-License-Identifier: Apache-2.0
"""What all commands share: options, the surroundings of a call, and the manifests they take."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from hadeb import ui
from hadeb.context import Context, from_environment
from hadeb.errors import Fault, ManifestError
from hadeb.load import load
from hadeb.model import Manifest
from hadeb.package import Package
from hadeb.plan import plan as plan_package

JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """The surroundings of one call, and how much it says."""

    context: Context
    quiet: bool
    verbose: bool

    def tell(self, text: str) -> None:
        """Say what is going on, where the user asked for it."""
        if self.verbose and not self.quiet:
            ui.note(text)

    def progress(self, text: str) -> None:
        """Say what takes long, unless the user asked for silence."""
        if not self.quiet:
            ui.note(text)


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """A manifest, how its file is called, and the package that it becomes."""

    file: str
    manifest: Manifest
    package: Package


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have, and its Call as the first argument."""

    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and the result.")
    @click.option("-v", "--verbose", is_flag=True, help="Say what is done.")
    @click.option("--debug", is_flag=True, help="Show a traceback where something fails.")
    @wraps(function)
    def called(*, quiet: bool, verbose: bool, debug: bool, **options: Any) -> None:
        try:
            function(Call(from_environment(), quiet, verbose), **options)
        except Exception:
            if debug:
                traceback.print_exc()
            raise

    return called


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
