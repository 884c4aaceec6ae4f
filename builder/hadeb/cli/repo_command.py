# SPDX-License-Identifier: Apache-2.0
"""What the commands around a repository share: options, who writes, how they say what changed."""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.errors import HadebError, UsageError
from hadeb.repo.s3.bucket import SCHEME, Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.disk.layout import Tree
    from hadeb.repo.s3.checkout import Checkout
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome

# How often a command runs again where others were quicker, and for how long it waits at most.
_TRIES = 12
_LONGEST_WAIT = 2.0
Command = Callable[..., None]


class _Place(click.Path):
    """A repository's directory as a text, or its place in an object store."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        if isinstance(value, str) and value.startswith(SCHEME):
            return Bucket.read(value)
        return super().convert(value, parameter, context)


DIRECTORY = _Place(file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
REPO = click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    default=".",
    show_default=True,
    help="Its directory, or s3://BUCKET/PREFIX.",
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


_Change = Callable[..., "Outcome | list[Outcome]"]


def writes(function: _Change, reach: Reach = Reach.NOW) -> Command:
    """A command of whoever signs: its Writer first; what it returns is printed.

    A list in a list, and one outcome by itself: so --json has one shape, however many suites
    a repository has.
    """

    @wraps(function)
    def told(call: Call, writer: Writer, *, as_json: bool, **options: Any) -> None:
        from hadeb.repo.commands.refresh import SuitesFailed

        dry_run = options.get("dry_run", False)
        try:
            outcome = function(call, writer, **options)
        except SuitesFailed as failed:
            _tell(failed.outcomes, as_json=as_json, dry_run=dry_run)
            raise
        _tell(outcome, as_json=as_json, dry_run=dry_run)

    return _KEY_FILE(_PASSPHRASE_FILE(JSON(command(as_writer_of(reach)(told)))))


def changes(function: _Change) -> Command:
    """A command that changes a repository which is there, or says what would change."""
    return changes_of(Reach.NOW)(function)


def changes_of(reach: Reach) -> Callable[[_Change], Command]:
    """The same for a command that looks at more than what is in force."""
    return lambda function: REPO(DRY_RUN(writes(function, reach)))


def as_writer_of(reach: Reach) -> Callable[[Command], Command]:
    """Call a command with a Writer in place of the options that say which repository, and keys."""

    def decorated(function: Command) -> Command:
        @wraps(function)
        def with_writer(
            call: Call,
            *,
            directory: str | Bucket,
            key_file: Path | None = None,
            passphrase_file: Path | None = None,
            **options: Any,
        ) -> None:
            if isinstance(directory, str):
                tree = tree_of(call, directory)
                with _writing_as(call, tree, key_file, passphrase_file) as writer:
                    function(call, writer, **options)
                return

            def once(copy: Checkout, push: Callable[[], None] | None) -> None:
                with _writing_as(call, copy.tree, key_file, passphrase_file) as writer:
                    there = replace(writer, push=push, differences=copy.differences)
                    function(call, there, **options)

            _until_in_force(call, directory, reach, once, dry_run=options.get("dry_run", False))

        return with_writer

    return decorated


def _until_in_force(
    call: Call,
    bucket: Bucket,
    reach: Reach,
    once: Callable[[Checkout, Callable[[], None] | None], None],
    *,
    dry_run: bool,
) -> None:
    """Do it on a copy of what is in the bucket, again where somebody else was quicker."""
    from hadeb.repo.s3.checkout import checkout
    from hadeb.repo.s3.conflict import Overtaken
    from hadeb.repo.s3.push import finish_interrupted, push

    for left in reversed(range(_TRIES)):
        try:
            with checkout(bucket, reach) as copy:
                # Whoever goes back again, after a kill, means the same step, and not one more.
                if reach is Reach.PAST and not dry_run and (late := finish_interrupted(copy)):
                    raise HadebError(
                        f"a change of {', '.join(late)} had been interrupted; it is in force now",
                        hint=f"look at hadeb repo history {late[0]}, then say what is to come",
                    )
                once(copy, None if dry_run else partial(push, copy))
            return
        except Overtaken:
            if not left:
                raise
            call.info(f"somebody else changes {bucket} at this moment; once more")
            time.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311 - no secret


@contextmanager
def _writing_as(
    call: Call, tree: Tree, key_file: Path | None, passphrase_file: Path | None
) -> Iterator[Writer]:
    """Who changes the repository: the caller, with their own keys or those of a file."""
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.signing.key_file import from_key_file, sweep
    from hadeb.repo.signing.keychain import Keychain

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=tree,
            keychain=keychain,
            who=call.context.who,
            now=datetime.datetime.now(datetime.UTC),
            # Each sentence once: of a key's end we hear for every suite that it signs.
            info=cache(call.info),
            warning=cache(call.warning),
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
        terminal.result_json(found if isinstance(outcome, list) else found[0])
        return
    for one in outcomes:
        for line in one.difference.lines():
            terminal.result(line)
        if not dry_run:
            terminal.result(f"{one.suite.name} generation {one.generation}")
        elif not one.difference:
            terminal.note("nothing would change")


def package_version(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[str, str | None]:
    """NAME or NAME=VERSION as a user types it."""
    name, equals, version = value.partition("=")
    if not name or (equals and not version):
        raise click.BadParameter("is to be NAME or NAME=VERSION", context, parameter)
    return name, version or None


def tree_of(call: Call, directory: str | Bucket) -> Tree:
    """The repository that a command looks at; of a bucket a copy, for as long as it runs."""
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
    """UsageError where a bucket gets a repository, and nobody says how clients reach it."""
    from hadeb.repo.disk.repository_file import find_repository

    if writer.push and url is None and find_repository(writer.tree) is None:
        raise UsageError(
            "a bucket may be reached by many URLs, and a new repository wants to know which",
            hint="--url https://…, as in the clients' sources; it may move later",
        )
