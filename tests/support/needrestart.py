# SPDX-License-Identifier: Apache-2.0
"""Fetch needrestart, which the node image lacks, from this machine's Debian archive."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hadeb.context import from_environment
from hadeb.debian.releases import Suite
from hadeb.files.lock import locked
from hadeb.lab.node.image import image
from hadeb.lab.node.mirror import debian_archive
from hadeb.run import run


def packages(suite: Suite) -> list[Path]:
    """What a node of the image lacks to have needrestart; downloaded once for an image, 15 s."""
    kept = from_environment().cache / "tests" / f"needrestart-{image(suite).name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Two of pytest's processes may want them at the same time.
    with locked(kept.with_name(f".{kept.name}.lock")):
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(dir=kept.parent) as work:
                _download(suite, Path(work))
                Path(work, "archives").rename(kept)
    return sorted(kept.glob("*.deb"))


def _download(suite: Suite, directory: Path) -> None:
    archive = debian_archive()
    key = archive.signed_by
    if "\n" in key:
        (directory / "archive.asc").write_text(f"{key.strip()}\n")
        key = str(directory / "archive.asc")
    (directory / "sources.list").write_text(archive.line(suite, key) + "\n")
    for path in ("lists", "archives"):
        (directory / path / "partial").mkdir(parents=True)
    settings = (
        f"Dir::Etc::sourcelist={directory}/sources.list",
        "Dir::Etc::sourceparts=/dev/null",
        "Dir::Etc::preferencesparts=/dev/null",
        f"Dir::State::lists={directory}/lists",
        f"Dir::State::status={image(suite)}/var/lib/dpkg/status",
        f"Dir::Cache::archives={directory}/archives",
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
        "Acquire::Languages=none",
        "APT::Install-Recommends=false",
        "APT::Sandbox::User=root",
    )
    apt = ["apt-get", "-qq", *(word for setting in settings for word in ("-o", setting))]
    run([*apt, "update"], timeout=300)
    run([*apt, "--yes", "--download-only", "install", "needrestart"], timeout=300)
