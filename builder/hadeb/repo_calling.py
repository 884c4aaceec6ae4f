# SPDX-License-Identifier: Apache-2.0
"""What the commands around a repository share: options, who writes, how they say what changed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hadeb import ui
from hadeb.calling import Call

if TYPE_CHECKING:
    from hadeb.repo.transaction import Outcome
    from hadeb.repo.tree import Tree
    from hadeb.repo.writer import Writer

DIRECTORY = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
REPO = click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    default=Path(),
    show_default=".",
    help="The repository's directory.",
)
PHASE = click.option(
    "--phase",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    metavar="PERCENT",
    help="How many of the machines may upgrade to it for now.",
)
DOWNGRADE = click.option(
    "--downgrade",
    is_flag=True,
    help="Take newer versions out of the suite, so that this one counts.",
)


def signing(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of whoever signs; `as_writer` makes a Writer of them."""

    @click.option(
        "--key-file", type=FILE, help="Sign with the secret keys in this file, and no others."
    )
    @click.option(
        "--passphrase-file", type=FILE, help="The file whose first line opens the secret key."
    )
    @wraps(function)
    def with_keys(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)

    return with_keys


def as_writer(function: Callable[..., None]) -> Callable[..., None]:
    """Call a command with a Writer in place of the options that say which repository, and keys."""

    @wraps(function)
    def with_writer(
        call: Call,
        *,
        directory: Path,
        key_file: Path | None = None,
        passphrase_file: Path | None = None,
        **options: Any,
    ) -> None:
        with _writing_as(call, directory, key_file, passphrase_file) as writer:
            function(call, writer, **options)

    return with_writer


@contextmanager
def _writing_as(
    call: Call, directory: Path, key_file: Path | None, passphrase_file: Path | None
) -> Iterator[Writer]:
    """Who changes the repository: the caller, with their own keys or those of a file."""
    from hadeb.repo.key_file import from_key_file, sweep
    from hadeb.repo.signing import Keychain
    from hadeb.repo.tree import Tree
    from hadeb.repo.writer import Writer

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=Tree(call.context.directory / directory),
            keychain=keychain,
            who=call.context.who,
            now=datetime.datetime.now(datetime.UTC),
            # Each sentence once: of a key's end we hear for every suite that it signs.
            say=cache(call.progress),
            warn=cache(ui.note),
        )

    if key_file is None:
        sweep(call.context.runtime)
        yield with_keys(Keychain(None, passphrase_file))
    else:
        with from_key_file(key_file, passphrase_file, call.context.runtime) as keychain:
            yield with_keys(keychain)


def tell(outcomes: Sequence[Outcome], *, as_json: bool, dry_run: bool = False) -> None:
    """Print what changed: lines of the difference, then the generation in force."""
    if as_json:
        found = [
            {
                "suite": outcome.suite.name,
                "generation": outcome.generation,
                "changes": outcome.difference.lines(),
                "dry_run": dry_run,
            }
            for outcome in outcomes
        ]
        ui.result_json(found[0] if len(found) == 1 else found)
        return
    for outcome in outcomes:
        for line in outcome.difference.lines():
            ui.result(line)
        if not dry_run:
            ui.result(f"{outcome.suite.name} generation {outcome.generation}")
        elif not outcome.difference:
            ui.note("nothing would change")


def package_version(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[str, str | None]:
    """NAME or NAME=VERSION as a user types it."""
    name, equals, version = value.partition("=")
    if not name or (equals and not version):
        raise click.BadParameter("is to be NAME or NAME=VERSION", context, parameter)
    return name, version or None


def tree_of(call: Call, directory: Path) -> Tree:
    """The repository that is looked at, and not changed."""
    from hadeb.repo.tree import Tree

    return Tree(call.context.directory / directory)
