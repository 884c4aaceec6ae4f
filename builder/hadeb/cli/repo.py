# SPDX-License-Identifier: Apache-2.0
"""`hadeb repo`: the contents, history, verification, signatures and keys of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.cli.repo_command import REPO, changes, package_version, tree_of, with_writer
from hadeb.repo.s3.bucket import Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome


@click.group(short_help="Inspect a repository, verify it, and renew its signatures.")
def repo() -> None:
    """Inspect and maintain a signed apt repository.

    hadeb publish creates it and adds packages; promote, rollback and prune change it.
    """


@repo.command()
@REPO
@JSON
@command
def status(call: Call, directory: str | Bucket, as_json: bool) -> None:
    """Show what the repository is, who signs it, and what its suites contain."""
    from hadeb.repo.commands.status import status as read_status

    state = read_status(tree_of(call, directory))
    if as_json:
        terminal.result_json(state.as_json())
    else:
        terminal.result(state.text())


@repo.command("list")
@click.argument("suite", required=False)
@REPO
@JSON
@command
def list_packages(call: Call, suite: str | None, directory: str | Bucket, as_json: bool) -> None:
    """List the packages of SUITE, or of all suites.

    The columns are suite, component, name, version and architecture.
    """
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
    """Show who changed what in SUITE, and when, newest first."""
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
    help="A signing key's fingerprint, from a source you trust [default: the recorded keys].",
)
@REPO
@JSON
@command
def verify(
    call: Call, directory: str | Bucket, fingerprints: tuple[str, ...], as_json: bool
) -> None:
    """Read the whole repository, and report what differs from what was published.

    Exits with 4 if anything differs. Anyone who can write to the repository can also change its
    record of the keys, so name every key that signs.
    """
    from hadeb.repo.commands.verify import verify as inspect

    verification = with_writer(
        call, directory, lambda writer: inspect(writer, fingerprints), reach=Reach.BYTES
    )
    if as_json:
        terminal.result_json(verification.problems)
    for problem in () if as_json else verification.problems:
        terminal.result(problem)
    whose = "which you named" if verification.pinned else "which the repository records"
    call.info(f"trusted the keys {', '.join(verification.trusted)}, {whose}")
    if verification.problems:
        raise SystemExit(4)
    if not as_json:
        call.info("everything is as it was published")


@repo.command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@changes(options=(REPO,))
def refresh(call: Call, writer: Writer, suites: tuple[str, ...]) -> list[Outcome]:
    """Sign each SUITE again, or all of them, and extend Valid-Until.

    Run it daily from a timer. --json prints a list with an object for each suite.
    """
    from hadeb.repo.commands.refresh import refresh as renew_signatures

    return renew_signatures(writer, suites)


@repo.command("remove")
@click.argument("package", metavar="NAME[=VERSION]", callback=package_version)
@click.argument("suite")
@changes()
def remove(
    call: Call, writer: Writer, package: tuple[str, str | None], suite: str, dry_run: bool
) -> Outcome:
    """Remove a package from SUITE: all its versions unless you name one.

    Its files stay in the pool until hadeb prune removes them.
    """
    from hadeb.repo.commands.remove import remove as take_out

    return take_out(writer, *package, suite, dry_run=dry_run)


@repo.group(short_help="Change the keys that sign a repository.")
def key() -> None:
    """Change the keys that sign a repository.

    To replace a key, add the new one, and let both sign for some weeks: machines get the new key
    with their upgrades. When all have it, drop the old one. An expired key signs nothing until you
    extend it.
    """


@key.command("add")
@click.argument("fingerprint")
@changes()
def add_key(call: Call, writer: Writer, fingerprint: str, dry_run: bool) -> list[Outcome]:
    """Add the key FINGERPRINT to those that sign, and ship it to machines in the keyring package.

    hadeb signs every suite again. A --key-file has to hold all keys that sign. --json prints a list
    with an object for each suite.
    """
    from hadeb.repo.commands.rotate import add_key as add

    return add(writer, fingerprint, dry_run=dry_run)


@key.command("drop")
@click.argument("fingerprint")
@changes()
def drop_key(call: Call, writer: Writer, fingerprint: str, dry_run: bool) -> list[Outcome]:
    """Stop signing with the key FINGERPRINT.

    A machine that has no other key of the repository refuses it from then on. --json prints a list
    with an object for each suite.
    """
    from hadeb.repo.commands.rotate import drop_key as drop

    return drop(writer, fingerprint, dry_run=dry_run)
