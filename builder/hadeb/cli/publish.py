# SPDX-License-Identifier: Apache-2.0
"""`hadeb publish`, `promote`, `rollback`, `prune`: how a suite of a signed repository changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hadeb.cli import terminal
from hadeb.cli.command import JSON, Call, command
from hadeb.cli.repo_command import (
    DIRECTORY,
    DOWNGRADE,
    DRY_RUN,
    PHASE,
    REPO,
    as_writer_of,
    changes,
    changes_of,
    package_version,
    refuse_unnamed_url,
    writes,
)
from hadeb.repo.s3.bucket import Reach

if TYPE_CHECKING:
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome


@click.command(short_help="Put packages into a signed apt repository.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    required=True,
    help="Its directory, or s3://BUCKET/PREFIX.",
)
@click.option("--suite", required=True, help="The suite that the packages go to.")
@click.option("--component", default="main", show_default=True, help="The part of the suite.")
@PHASE
@DOWNGRADE
@click.option("--url", help="Where clients find the repository, as the pages in it say.")
@click.option("--name", help="The repository's name in file names; its directory's name if unsaid.")
@click.option("--origin", help="Who publishes, as clients' apt sees it; the name if unsaid.")
@click.option("--label", help="What it is, as clients' apt sees it; the origin if unsaid.")
@click.option("--codename", help="The suite's codename; its name if unsaid.")
@click.option("--architecture", "architectures", multiple=True, help="One that the suite is for.")
@click.option(
    "--valid-days", type=click.IntRange(0), help="Days that a signature is valid; 0: all."
)
@click.option("--key", help="The fingerprint of the key that signs; a new one if unsaid.")
@DRY_RUN
@writes
def publish(
    call: Call,
    writer: Writer,
    files: Sequence[Path],
    suite: str,
    component: str,
    phase: int,
    downgrade: bool,
    url: str | None,
    name: str | None,
    origin: str | None,
    label: str | None,
    codename: str | None,
    architectures: tuple[str, ...],
    valid_days: int | None,
    key: str | None,
    dry_run: bool,
) -> Outcome:
    """Put each FILE, a .deb, .dsc or .changes, into a suite of a signed apt repository.

    The first call makes the repository, and a key to sign with where none is named. Origin, label
    and codename are fixed from then on. Where one file is wrong, nothing is published.
    """
    from hadeb.repo.commands.publish import Addition
    from hadeb.repo.commands.publish import publish as put
    from hadeb.repo.session.settings import Options

    refuse_unnamed_url(writer, url)
    addition = Addition(suite, component, phase, downgrade)
    key = key or (None if dry_run else _asked_key(writer))
    options = Options(name, origin, label, url, key, codename, architectures, valid_days)
    paths = [call.context.directory / file for file in files]
    return put(writer, paths, addition, options, dry_run=dry_run)


def _asked_key(writer: Writer) -> str | None:
    """The key for a new repository, where somebody is there to be asked; None for a new one."""
    from hadeb.repo.disk.repository_file import find_repository
    from hadeb.repo.signing.keychain import secret_keys

    # A key file says by itself which keys sign.
    if writer.keychain.home or find_repository(writer.tree) or not terminal.is_interactive():
        return None
    keys = secret_keys(writer.keychain)
    if not keys:
        return None
    terminal.note("a new repository; these keys of yours can sign it:")
    for one in keys:
        terminal.note(f"  {one.fingerprint}  {one.user_id}")
    question = "fingerprint of the one to use, or nothing for a new key"
    return click.prompt(question, default="", show_default=False, err=True) or None


@click.command(short_help="Put a package of one suite into another.")
@click.argument("package", metavar="NAME[=VERSION]", callback=package_version)
@click.argument("source", metavar="FROM")
@click.argument("suite", metavar="TO")
@PHASE
@DOWNGRADE
@changes
def promote(
    call: Call,
    writer: Writer,
    package: tuple[str, str | None],
    source: str,
    suite: str,
    phase: int,
    downgrade: bool,
    dry_run: bool,
) -> Outcome:
    """Put a package of the suite FROM into the suite TO: the newest version, where none is named.

    The same files, byte by byte. With FROM and TO the same, --phase lets more machines upgrade.
    """
    from hadeb.repo.commands.promote import promote as put
    from hadeb.repo.commands.publish import Addition

    addition = Addition(suite, phase=phase, downgrade=downgrade)
    return put(writer, *package, source, addition, dry_run=dry_run)


@click.command(short_help="Put an older list of a suite in force again.")
@click.argument("suite")
@click.argument("generation", type=click.IntRange(1), required=False)
@changes_of(Reach.PAST)
def rollback(
    call: Call, writer: Writer, suite: str, generation: int | None, dry_run: bool
) -> Outcome:
    """Give SUITE the list of an older GENERATION: that before the last change, if none is named.

    Clients see a newer Release with older versions in it. The preferences file beside index.html
    lets their apt go down.
    """
    from hadeb.repo.commands.rollback import rollback as back

    return back(writer, suite, generation, dry_run=dry_run)


@click.command(short_help="Remove what no suite needs any more.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How many generations of a suite stay, to go back to.",
)
@REPO
@DRY_RUN
@JSON
@command
@as_writer_of(Reach.ALL)
def prune(call: Call, writer: Writer, keep: int, dry_run: bool, as_json: bool) -> None:
    """Remove old generations, and files of the pool that no list names any more.

    What was in force within the last hour stays: a client may be about to download it.
    """
    from hadeb.repo.commands.prune import prune as remove_old

    pruned = remove_old(writer, keep, dry_run=dry_run)
    if as_json:
        terminal.result_json(
            {
                "generations": pruned.generations,
                "files": pruned.files,
                "size": pruned.size,
                "dry_run": dry_run,
            }
        )
        return
    for gone in (*pruned.generations, *pruned.files):
        terminal.result(f"- {gone}")
    would = "would be" if dry_run else "are"
    terminal.note(f"{pruned.size / 2**20:.1f} MiB {would} free")
