# SPDX-License-Identifier: Apache-2.0
"""`hadeb lab run` on a copy of the sample bundle, with a registry of labs of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.command import ROOT, Outcome
from support.lab_leftovers import call


def private_registry(directory: Path) -> Path:
    """A registry of labs that no other test sees."""
    registry = directory / "labs"
    registry.mkdir()
    return registry


def copy_of_sample(directory: Path) -> Path:
    """The sample bundle, to change."""
    bundle = directory / "bundle"
    bundle.mkdir()
    for name in ("agents", "daemon", "bundle.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, bundle / name)
    return bundle


def run_lab(bundle: Path, registry: Path, *arguments: str | Path) -> Outcome:
    return call(registry, "lab", "run", "-m", bundle, *arguments, directory=bundle.parent)
