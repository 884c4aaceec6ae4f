# SPDX-License-Identifier: Apache-2.0
"""What the commands around a repository share: options, who writes, how they say what changed."""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hadeb import ui
from hadeb.calling import Call
from hadeb.errors import HadebError, UsageError
from hadeb.repo.bucket import SCHEME, Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.transaction import Outcome
    from hadeb.repo.tree import Tree
    from hadeb.repo.working_copy import WorkingCopy
    from hadeb.repo.writer import Writer

# How often a command runs again where others were quicker, and for how long it waits at most.
_TRIES = 12
_LONGEST_WAIT = 2.0


class _Place(click.Path):
    """A repository's directory, or its place in an object store."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        if isinstance(value, str) and value.startswith(SCHEME):
            return Bucket.read(value)
        return super().convert(value, parameter, context)


DIRECTORY = _Place(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
REPO = click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    default=Path(),
    show_default=".",
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
    return as_writer_of(Reach.NOW)(function)


def as_writer_of(reach: Reach) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same for a command that looks at more than what is in force."""

    def decorated(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def with_writer(
            call: Call,
            *,
            directory: Path | Bucket,
            key_file: Path | None = None,
            passphrase_file: Path | None = None,
            **options: Any,
        ) -> None:
            if isinstance(directory, Path):
                tree = tree_of(call, directory)
                with _writing_as(call, tree, key_file, passphrase_file) as writer:
                    function(call, writer, **options)
                return

            def once(copy: WorkingCopy, hand_over: Callable[[], None] | None) -> None:
                with _writing_as(call, copy.tree, key_file, passphrase_file) as writer:
                    there = replace(writer, hand_over=hand_over, amiss=copy.amiss)
                    function(call, there, **options)

            _until_in_force(call, directory, reach, once, dry_run=options.get("dry_run", False))

        return with_writer

    return decorated


def _until_in_force(
    call: Call,
    bucket: Bucket,
    reach: Reach,
    once: Callable[[WorkingCopy, Callable[[], None] | None], None],
    *,
    dry_run: bool,
) -> None:
    """Do it on a copy of what is in the bucket, again where somebody else was quicker."""
    from hadeb.repo.hand_over import Overtaken, finish_earlier, hand_over
    from hadeb.repo.working_copy import working_copy

    for left in reversed(range(_TRIES)):
        try:
            with working_copy(bucket, reach) as copy:
                # Whoever goes back again, after a kill, means the same step, and not one more.
                if reach is Reach.PAST and not dry_run and (late := finish_earlier(copy)):
                    raise HadebError(
                        f"a change of {', '.join(late)} had been interrupted; it is in force now",
                        hint=f"look at hadeb repo history {late[0]}, then say what is to come",
                    )
                once(copy, None if dry_run else partial(hand_over, copy))
            return
        except Overtaken:
            if not left:
                raise
            call.progress(f"somebody else changes {bucket} at this moment; once more")
            time.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311 - no secret


@contextmanager
def _writing_as(
    call: Call,
    tree: Tree,
    key_file: Path | None,
    passphrase_file: Path | None,
) -> Iterator[Writer]:
    """Who changes the repository: the caller, with their own keys or those of a file."""
    from hadeb.repo.signing import Keychain, from_key_file
    from hadeb.repo.writer import Writer

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=tree,
            keychain=keychain,
            who=call.context.who,
            now=datetime.datetime.now(datetime.UTC),
            say=call.progress,
        )

    if key_file is None:
        yield with_keys(Keychain(None, passphrase_file))
    else:
        with from_key_file(key_file, passphrase_file) as keychain:
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


def tree_of(call: Call, directory: Path | Bucket) -> Tree:
    """The repository that is looked at, and not changed; for as long as the command runs."""
    from hadeb.repo.tree import Tree

    if isinstance(directory, Path):
        return Tree(call.context.directory / directory)
    from hadeb.repo.working_copy import working_copy

    copy = click.get_current_context().with_resource(working_copy(directory, Reach.NOW))
    if copy.etag is None:
        raise UsageError(
            f"there is no repository in {directory}", hint=f"hadeb publish --repo {directory}"
        )
    return copy.tree


def refuse_unnamed_url(writer: Writer, url: str | None) -> None:
    """UsageError where a bucket gets a repository, and nobody says how clients reach it."""
    from hadeb.repo.opening import find_repository

    if writer.hand_over and url is None and find_repository(writer.tree) is None:
        raise UsageError(
            "a bucket may be reached by many URLs, and a new repository wants to know which",
            hint="--url https://…, as in the clients' sources; it may move later",
        )
