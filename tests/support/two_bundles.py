# SPDX-License-Identifier: Apache-2.0
"""Two bundles side by side, for commands that take several manifests."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.command import ROOT

VALID = ROOT / "tests/manifests/valid"


def several(directory: Path) -> list[str]:
    """The names of two bundles that lie in a directory afterwards."""
    names = []
    for number in (1, 2):
        names.append(f"bundle-{number}")
        shutil.copytree(VALID / "agents-only", directory / names[-1])
        manifest = directory / names[-1] / "bundle.toml"
        text = manifest.read_text("utf-8").replace('"greeter"\nv', f'"greeter-{number}"\nv')
        manifest.write_text(text, encoding="utf-8")
    return names
