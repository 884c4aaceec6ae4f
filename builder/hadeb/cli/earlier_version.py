# SPDX-License-Identifier: Apache-2.0
"""The options of `hadeb lab run` for an earlier version, and the faults that they add."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hadeb.cli.command import Call

if TYPE_CHECKING:
    from hadeb.lab.fault.catalogue import Fault
    from hadeb.package.model import Package

_FROM = click.option(
    "--from",
    "previous",
    type=click.Path(path_type=Path),
    metavar="OLD",
    help="An earlier version, to upgrade from and go back to: its file, or its version in a "
    "repository.",
)
_FROM_REPO = click.option(
    "--from-repo",
    "repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The directory of the repository that has the earlier version.",
)


def earlier_version(command: Callable[..., None]) -> Callable[..., None]:
    """Add --from and --from-repo, as `previous` and `repository`."""
    return _FROM(_FROM_REPO(command))


def chosen_faults(
    names: Sequence[str], *, smoke: bool, previous: Path | None, repository: Path | None
) -> tuple[Fault, ...]:
    """The faults that the command line chooses; click.UsageError where it contradicts itself."""
    from hadeb.lab.fault.catalogue import SMOKE, TWO_VERSIONS, chosen

    context = click.get_current_context()
    if smoke and names:
        raise click.UsageError(
            "--smoke chooses the faults itself; leave one of the two out", context
        )
    if repository and not previous:
        raise click.UsageError("--from-repo needs the version: --from VERSION", context)
    if smoke:
        names = (*SMOKE, *TWO_VERSIONS) if previous else SMOKE
    return chosen(tuple(names), two_versions=previous is not None)


def file_of(
    call: Call, previous: Path | None, repository: Path | None, package: Package
) -> Path | None:
    """The file of the earlier version, None if the user named none."""
    from hadeb.lab.scenario.previous import node_architecture
    from hadeb.repo.commands.find_file import find_file

    directory = call.context.directory
    if not previous:
        return None
    if not repository:
        return directory / previous
    architecture = package.architecture
    if architecture == "all":
        architecture = node_architecture()
    return find_file(directory / repository, package.name, str(previous), architecture)
