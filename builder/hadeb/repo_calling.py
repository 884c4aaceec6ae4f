# SPDX-License-Identifier: Apache-2.0
"""What the commands around a repository share: options, who writes, how they say what changed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hadeb import ui
from hadeb.calling import JSON, Call, command

if TYPE_CHECKING:
    from hadeb.repo.transaction import Outcome
    from hadeb.repo.tree import Tree
    from hadeb.repo.writer import Writer

Command = Callable[..., None]
# A text: a Path would make one slash of the two in s3://.
DIRECTORY = click.Path(file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
REPO = click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    default=".",
    show_default=True,
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
_KEY_FILE = click.option(
    "--key-file", type=FILE, help="Sign with the secret keys in this file, and no others."
)
_PASSPHRASE_FILE = click.option(
    "--passphrase-file", type=FILE, help="The file whose first line opens the secret key."
)


def writes(function: Callable[..., Outcome | list[Outcome]]) -> Command:
    """A command of whoever signs: its Writer first; what it returns is printed.

    A list in a list, and one outcome by itself: so --json has one shape, however many suites
    a repository has.
    """

    @wraps(function)
    def told(call: Call, writer: Writer, *, as_json: bool, **options: Any) -> None:
        from hadeb.repo.transaction import SuitesFailed

        dry_run = options.get("dry_run", False)
        try:
            outcome = function(call, writer, **options)
        except SuitesFailed as failed:
            _tell(failed.outcomes, as_json=as_json, dry_run=dry_run)
            raise
        _tell(outcome, as_json=as_json, dry_run=dry_run)

    return _KEY_FILE(_PASSPHRASE_FILE(JSON(command(as_writer(told)))))


def changes(function: Callable[..., Outcome | list[Outcome]]) -> Command:
    """A command that changes a repository which is there, or says what would change."""
    return REPO(DRY_RUN(writes(function)))


def as_writer(function: Command) -> Command:
    """Call a command with a Writer in place of the options that say which repository, and keys."""

    @wraps(function)
    def with_writer(
        call: Call,
        *,
        directory: str,
        key_file: Path | None = None,
        passphrase_file: Path | None = None,
        **options: Any,
    ) -> None:
        with _writing_as(call, directory, key_file, passphrase_file) as writer:
            function(call, writer, **options)

    return with_writer


@contextmanager
def _writing_as(
    call: Call, directory: str, key_file: Path | None, passphrase_file: Path | None
) -> Iterator[Writer]:
    """Who changes the repository: the caller, with their own keys or those of a file."""
    from hadeb.repo.key_file import from_key_file, sweep
    from hadeb.repo.signing import Keychain
    from hadeb.repo.writer import Writer

    tree = tree_of(call, directory)

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=tree,
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


def _tell(outcome: Outcome | list[Outcome], *, as_json: bool, dry_run: bool) -> None:
    """Print what changed: lines of the difference, then the generation in force."""
    outcomes = outcome if isinstance(outcome, list) else [outcome]
    if as_json:
        found = [
            {
                "suite": one.suite.name,
                "generation": one.generation,
                "changes": one.difference.lines(),
                "dry_run": dry_run,
            }
            for one in outcomes
        ]
        ui.result_json(found if isinstance(outcome, list) else found[0])
        return
    for one in outcomes:
        for line in one.difference.lines():
            ui.result(line)
        if not dry_run:
            ui.result(f"{one.suite.name} generation {one.generation}")
        elif not one.difference:
            ui.note("nothing would change")


def package_version(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[str, str | None]:
    """NAME or NAME=VERSION as a user types it."""
    name, equals, version = value.partition("=")
    if not name or (equals and not version):
        raise click.BadParameter("is to be NAME or NAME=VERSION", context, parameter)
    return name, version or None


def tree_of(call: Call, directory: str) -> Tree:
    """The repository that a command is for."""
    from hadeb.repo.opening import repository_at

    return repository_at(directory, call.context.directory)
