# SPDX-License-Identifier: Apache-2.0
"""The file of a package's version in a repository, also of one that no suite holds any more."""

from __future__ import annotations

from pathlib import Path

from hadeb.debian.version import version_key
from hadeb.errors import HadebError, UsageError
from hadeb.files.digest import digest
from hadeb.repo.disk.generation import DamagedGeneration, load_contents
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import open_repository
from hadeb.repo.model.contents import SOURCE, Published


def find_file(root: Path, name: str, version: str, architecture: str) -> Path:
    """The .deb of a version for an architecture, from any suite and generation of a repository.

    Its size and SHA256 are those of the signed list. Raises UsageError if there is none.
    """
    tree = Tree(root)
    packages = [
        package
        for package in _published(tree, name)
        if package.architecture in {architecture, "all"}
    ]
    for package in packages:
        if package.version == version:
            (file,) = package.files
            path = root / file.path
            if not path.is_file() or digest(path) != file.sha256:
                raise HadebError(
                    f"{path} is missing or damaged", hint=f"hadeb repo verify --repo {root}"
                )
            return path
    versions = sorted({package.version for package in packages}, key=version_key)
    raise UsageError(
        f"the repository {root} has no {name} {version} for {architecture}",
        hint=f"it has {', '.join(versions) or 'no version of it'}",
    )


def _published(tree: Tree, name: str) -> list[Published]:
    """The binary packages of a name in all generations of all suites, newest first."""
    packages: dict[Published, None] = {}
    for suite in open_repository(tree).suites:
        for number in reversed(tree.numbers(suite.name)):
            try:
                contents = load_contents(tree.generation(suite.name, number), suite)
            except DamagedGeneration:
                # Another one may have it; `hadeb repo verify` reports the damage.
                continue
            packages |= dict.fromkeys(contents.named(name))
    return [package for package in packages if package.architecture != SOURCE]
