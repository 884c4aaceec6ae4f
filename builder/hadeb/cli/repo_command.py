# SPDX-License-Identifier: Apache-2.0
"""What the commands of a repository share: options, the writer, and how they show changes."""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.errors import HadebError, UsageError
from hadeb.repo.s3.bucket import SCHEME, Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.disk.layout import Tree
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome

# Attempts at a change of a bucket while other writers are faster, and seconds between two at most.
_ATTEMPTS = 12
_LONGEST_WAIT = 2.0
Command = Callable[..., None]
Option = Callable[[Command], Command]
T = TypeVar("T")


class _Place(click.Path):
    """A repository's directory as text, or a bucket."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        if isinstance(value, str) and value.startswith(SCHEME):
            return Bucket.read(value)
        return super().convert(value, parameter, context)


DIRECTORY = _Place(file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Show what would change, and change nothing."
)
REPO = click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    default=".",
    show_default=True,
    help="The repository: a directory, or s3://BUCKET/PREFIX.",
)
PHASE = click.option(
    "--phase",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    metavar="PERCENT",
    help="The share of machines that upgrade to it for now.",
)
DOWNGRADE = click.option(
    "--downgrade",
    is_flag=True,
    help="Remove newer versions from the suite, so that machines get this one.",
)
_KEY_FILE = click.option(
    "--key-file", type=FILE, help="Sign with the secret keys in this file, and with no others."
)
_PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    type=FILE,
    help="A file with the passphrase of the secret key in its first line.",
)


Change = Callable[..., "Outcome | list[Outcome]"]


def changes(
    *, options: Sequence[Option] = (REPO, DRY_RUN), reach: Reach = Reach.NOW
) -> Callable[[Change], Command]:
    """A command that changes a repository: gets its Call and a Writer, and returns what changed.

    The command gets `options`, the options of a writer and --json. It prints a list for a list of
    outcomes and an object for a single outcome, so the shape of --json does not depend on how many
    suites a repository has.
    """

    def decorate(function: Change) -> Command:
        @wraps(function)
        def change(
            call: Call,
            *,
            directory: str | Bucket,
            key_file: Path | None,
            passphrase_file: Path | None,
            as_json: bool,
            **arguments: Any,
        ) -> None:
            from hadeb.repo.commands.refresh import SuitesFailed

            dry_run = arguments.get("dry_run", False)
            keys = KeySource(key_file, passphrase_file)
            try:
                outcome = with_writer(
                    call,
                    directory,
                    lambda writer: function(call, writer, **arguments),
                    keys=keys,
                    reach=reach,
                    dry_run=dry_run,
                )
            except SuitesFailed as failed:
                _show(failed.outcomes, as_json=as_json, dry_run=dry_run)
                raise
            _show(outcome, as_json=as_json, dry_run=dry_run)

        decorated: Command = command(change)
        # click shows options in the order of the decorators, and Python applies the last one first.
        every: list[Option] = [*options, _KEY_FILE, _PASSPHRASE_FILE, JSON]
        for option in reversed(every):
            decorated = option(decorated)
        return decorated

    return decorate


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the keys that sign come from: a file, or gpg's own keyring without one."""

    key_file: Path | None = None
    passphrase_file: Path | None = None


def with_writer(
    call: Call,
    directory: str | Bucket,
    action: Callable[[Writer], T],
    *,
    keys: KeySource = KeySource(),
    reach: Reach = Reach.NOW,
    dry_run: bool = False,
) -> T:
    """Run the action as a writer of the repository, and return its result.

    In a bucket, the action works on a copy, and runs again if another writer was faster.
    """
    if isinstance(directory, Bucket):
        return _in_bucket(call, directory, action, keys, reach, dry_run=dry_run)
    with _writer(call, tree_of(call, directory), keys) as writer:
        return action(writer)


def _in_bucket(
    call: Call,
    bucket: Bucket,
    action: Callable[[Writer], T],
    keys: KeySource,
    reach: Reach,
    *,
    dry_run: bool,
) -> T:
    from hadeb.repo.s3.checkout import checkout
    from hadeb.repo.s3.conflict import Overtaken
    from hadeb.repo.s3.push import finish_interrupted, push

    for left in reversed(range(_ATTEMPTS)):
        try:
            with checkout(bucket, reach) as copy:
                # A rollback that was killed and is run again means the same step, not another.
                if reach is Reach.PAST and not dry_run and (late := finish_interrupted(copy)):
                    raise HadebError(
                        f"a change of {', '.join(late)} was interrupted; it is in force now",
                        hint=f"look at hadeb repo history {late[0]}, and run your command again "
                        "if you still need it",
                    )
                with _writer(call, copy.tree, keys) as writer:
                    bound = None if dry_run else partial(push, copy)
                    return action(replace(writer, push=bound, differences=copy.differences))
        except Overtaken:
            if not left:
                raise
            call.info(f"another writer changed {bucket}; trying again")
            time.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311 - no secret
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _writer(call: Call, tree: Tree, keys: KeySource) -> Iterator[Writer]:
    """A Writer for the caller, with the caller's own keys or those in a file."""
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.signing.key_file import from_key_file, sweep
    from hadeb.repo.signing.keychain import Keychain

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=tree,
            keychain=keychain,
            who=call.context.who,
            now=datetime.datetime.now(datetime.UTC),
            # Each sentence once: every suite that a key signs reports when the key expires.
            info=cache(call.info),
            warning=cache(call.warning),
        )

    if keys.key_file is None:
        sweep(call.context.runtime)
        yield with_keys(Keychain(None, keys.passphrase_file))
    else:
        runtime = call.context.runtime
        with from_key_file(keys.key_file, keys.passphrase_file, runtime) as keychain:
            yield with_keys(keychain)


def _show(outcome: Outcome | list[Outcome], *, as_json: bool, dry_run: bool) -> None:
    """Print what changed: the lines of the difference, then the generation in force."""
    outcomes = outcome if isinstance(outcome, list) else [outcome]
    if as_json:
        results = [
            {
                "suite": each.suite.name,
                "generation": each.generation,
                "changes": each.difference.lines(),
                "dry_run": dry_run,
            }
            for each in outcomes
        ]
        terminal.result_json(results if isinstance(outcome, list) else results[0])
        return
    for each in outcomes:
        for line in each.difference.lines():
            terminal.result(line)
        if not dry_run:
            terminal.result(f"{each.suite.name} generation {each.generation}")
        elif not each.difference:
            terminal.note("nothing would change")


def package_version(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[str, str | None]:
    """Split NAME or NAME=VERSION."""
    name, equals, version = value.partition("=")
    if not name or (equals and not version):
        raise click.BadParameter("must be NAME or NAME=VERSION", context, parameter)
    return name, version or None


def tree_of(call: Call, directory: str | Bucket) -> Tree:
    """The repository that a command reads; for a bucket, a copy until the command ends."""
    from hadeb.repo.disk.repository_file import repository_at

    if isinstance(directory, str):
        return repository_at(directory, call.context.directory)
    from hadeb.repo.s3.checkout import checkout

    copy = click.get_current_context().with_resource(checkout(directory, Reach.NOW))
    if copy.etag is None:
        raise UsageError(
            f"there is no repository in {directory}", hint=f"hadeb publish --repo {directory}"
        )
    return copy.tree


def refuse_unnamed_url(writer: Writer, url: str | None) -> None:
    """Raise UsageError for a new repository in a bucket without a URL for its clients."""
    from hadeb.repo.disk.repository_file import find_repository

    if writer.push and url is None and find_repository(writer.tree) is None:
        raise UsageError(
            "a bucket can have many URLs, and a new repository needs the one that clients use",
            hint="add --url https://…, as in the sources of the clients; you can change it later",
        )
