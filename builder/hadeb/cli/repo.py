# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo`: what a repository holds, who did what, whether it is whole, and new signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.cli.repo_command import REPO, as_writer_of, changes, package_version, tree_of, writes
from hadeb.repo.s3.bucket import Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome


@click.group(short_help="Look at a repository, verify it, and sign it anew.")
def repo() -> None:
    """A signed apt repository: what is in it, who did what, and whether it is whole.

    hadeb publish makes it and puts packages in; promote, rollback and prune change it.
    """


@repo.command()
@REPO
@JSON
@command
def status(call: Call, directory: str | Bucket, as_json: bool) -> None:
    """Say what the repository is, who signs it, and what its suites hold."""
    from hadeb.repo.commands.status import status as look

    found = look(tree_of(call, directory))
    if as_json:
        terminal.result_json(found.as_json())
    else:
        terminal.result(found.text())


@repo.command("list")
@click.argument("suite", required=False)
@REPO
@JSON
@command
def list_packages(call: Call, suite: str | None, directory: str | Bucket, as_json: bool) -> None:
    """List the packages of SUITE, or of all: suite, component, name, version, architecture."""
    from hadeb.repo.commands.status import listed

    rows = listed(tree_of(call, directory), suite)
    if as_json:
        terminal.result_json(rows)
        return
    for row in rows:
        share = "" if row["phase"] == 100 else f"  {row['phase']} %"
        words = ("suite", "component", "package", "version", "architecture")
        terminal.result("  ".join(str(row[word]) for word in words) + share)


@repo.command()
@click.argument("suite")
@REPO
@JSON
@command
def history(call: Call, suite: str, directory: str | Bucket, as_json: bool) -> None:
    """Say who did what to SUITE and when, the last change first."""
    import dataclasses

    from hadeb.repo.disk.history import changes
    from hadeb.repo.disk.repository_file import open_repository

    tree = tree_of(call, directory)
    open_repository(tree).suite(suite)
    records = changes(tree, suite)[::-1]
    if as_json:
        terminal.result_json([dataclasses.asdict(change) for change in records])
        return
    for change in records:
        terminal.result("\n".join((str(change), *(f"      {line}" for line in change.lines))))


@repo.command()
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    help="A key that is to sign, as you know it from elsewhere; as recorded if unsaid.",
)
@REPO
@JSON
@command
@as_writer_of(Reach.BYTES)
def verify(call: Call, writer: Writer, fingerprints: tuple[str, ...], as_json: bool) -> None:
    """Read everything, and say what is not as it was published. Ends with 4 where anything is.

    Whoever can write into the repository can change its record of the keys, too: name them all.
    """
    from hadeb.repo.commands.verify import verify as look

    found = look(writer, fingerprints)
    if as_json:
        terminal.result_json(found.problems)
    for problem in () if as_json else found.problems:
        terminal.result(problem)
    whose = "as you name them" if found.pinned else "as the repository records them"
    call.info(f"trusted were the keys {', '.join(found.trusted)}, {whose}")
    if found.problems:
        raise SystemExit(4)
    if not as_json:
        call.info("all is as it was published")


@repo.command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@REPO
@writes
def refresh(call: Call, writer: Writer, suites: tuple[str, ...]) -> list[Outcome]:
    """Sign each SUITE anew, or all of them, so that Valid-Until moves on. For a daily timer.

    --json gives a list with an object a suite.
    """
    from hadeb.repo.commands.refresh import refresh as sign_again

    return sign_again(writer, suites)


@repo.command("remove")
@click.argument("package", metavar="NAME[=VERSION]", callback=package_version)
@click.argument("suite")
@changes
def remove(
    call: Call, writer: Writer, package: tuple[str, str | None], suite: str, dry_run: bool
) -> Outcome:
    """Take a package out of SUITE, all its versions where none is named; prune frees its space."""
    from hadeb.repo.commands.remove import remove as take_out

    return take_out(writer, *package, suite, dry_run=dry_run)


@repo.group(short_help="Let a repository go from one key to another.")
def key() -> None:
    """The keys that sign. To change one for another, let both sign for some weeks.

    Add the new key; machines get it with the usual upgrades. When all have it, drop the old one.
    One that has ended is left out by itself, until it is dropped or lives longer.
    """


@key.command("add")
@click.argument("fingerprint")
@changes
def add_key(call: Call, writer: Writer, fingerprint: str, dry_run: bool) -> list[Outcome]:
    """Let the key FINGERPRINT sign, too, and give the machines it with the package of keys.

    Every suite is signed anew. A --key-file has to hold all keys that sign. --json gives a list
    with an object a suite.
    """
    from hadeb.repo.commands.rotate import add_key as add

    return add(writer, fingerprint, dry_run=dry_run)


@key.command("drop")
@click.argument("fingerprint")
@changes
def drop_key(call: Call, writer: Writer, fingerprint: str, dry_run: bool) -> list[Outcome]:
    """Let the key FINGERPRINT sign no more. Machines that know no other refuse what follows.

    --json gives a list with an object a suite.
    """
    from hadeb.repo.commands.rotate import drop_key as drop

    return drop(writer, fingerprint, dry_run=dry_run)
