# SPDX-License-Identifier: Apache-2.0
"""`hadeb publish`, `promote`, `rollback` and `prune`, which change a signed apt repository."""

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
    changes,
    package_version,
    refuse_unnamed_url,
    with_writer,
)
from hadeb.repo.s3.bucket import Bucket, Reach

if TYPE_CHECKING:
    from hadeb.repo.session.writer import Writer
    from hadeb.repo.transaction import Outcome


@click.command(short_help="Publish packages in a signed apt repository.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--repo",
    "directory",
    type=DIRECTORY,
    required=True,
    help="The repository: a directory, or s3://BUCKET/PREFIX.",
)
@click.option("--suite", required=True, help="The suite to put the packages into.")
@click.option("--component", default="main", show_default=True, help="The component of the suite.")
@PHASE
@DOWNGRADE
@click.option("--url", help="The URL of the repository for its clients; its pages show it.")
@click.option("--name", help="The repository's name in file names [default: the directory's name].")
@click.option("--origin", help="Origin in Release, for apt [default: the name].")
@click.option("--label", help="Label in Release, for apt [default: the origin].")
@click.option("--codename", help="The suite's codename [default: its name].")
@click.option(
    "--architecture",
    "architectures",
    multiple=True,
    help="An architecture of the suite; repeat it for more.",
)
@click.option(
    "--valid-days",
    type=click.IntRange(0),
    help="How many days a signature stays valid; 0 means no limit.",
)
@click.option("--key", help="The fingerprint of the key that signs [default: a new key].")
@changes(options=(DRY_RUN,))
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
    """Publish each FILE, a .deb, .dsc or .changes, in a suite of a signed apt repository.

    The first call creates the repository, and a key to sign with unless you name one. Origin, label
    and codename cannot change afterwards. If one file is wrong, hadeb publishes nothing.
    """
    from hadeb.repo.commands.publish import Addition
    from hadeb.repo.commands.publish import publish as put
    from hadeb.repo.session.settings import Options

    refuse_unnamed_url(writer, url)
    addition = Addition(suite, component, phase, downgrade)
    key = key or (None if dry_run else _asked_key(writer))
    repo_options = Options(name, origin, label, url, key, codename, architectures, valid_days)
    paths = [call.context.directory / file for file in files]
    return put(writer, paths, addition, repo_options, dry_run=dry_run)


def _asked_key(writer: Writer) -> str | None:
    """The key for a new repository, if the user is there to choose one; None for a new key."""
    from hadeb.repo.disk.repository_file import find_repository
    from hadeb.repo.signing.keychain import secret_keys

    # With --key-file, the file decides which keys sign.
    if writer.keychain.home or find_repository(writer.tree) or not terminal.is_interactive():
        return None
    keys = secret_keys(writer.keychain)
    if not keys:
        return None
    terminal.note("this is a new repository; these keys of yours can sign it:")
    for key in keys:
        terminal.note(f"  {key.fingerprint}  {key.user_id}")
    question = "fingerprint of the key to use, or nothing for a new key"
    return click.prompt(question, default="", show_default=False, err=True) or None


@click.command(short_help="Copy a package from one suite to another.")
@click.argument("package", metavar="NAME[=VERSION]", callback=package_version)
@click.argument("source", metavar="FROM")
@click.argument("suite", metavar="TO")
@PHASE
@DOWNGRADE
@changes()
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
    """Copy a package from the suite FROM to the suite TO: the newest version unless you name one.

    The files are the same, byte for byte. If FROM and TO are the same suite, --phase changes the
    share of machines that upgrade.
    """
    from hadeb.repo.commands.promote import promote as put
    from hadeb.repo.commands.publish import Addition

    addition = Addition(suite, phase=phase, downgrade=downgrade)
    return put(writer, *package, source, addition, dry_run=dry_run)


@click.command(short_help="Restore an older list of packages in a suite.")
@click.argument("suite")
@click.argument("generation", type=click.IntRange(1), required=False)
@changes(reach=Reach.PAST)
def rollback(
    call: Call, writer: Writer, suite: str, generation: int | None, dry_run: bool
) -> Outcome:
    """Restore the packages of an older GENERATION in SUITE: by default, undo the last change.

    Clients see a newer Release with older versions in it. The preferences file beside index.html
    makes their apt downgrade.
    """
    from hadeb.repo.commands.rollback import rollback as back

    return back(writer, suite, generation, dry_run=dry_run)


@click.command(short_help="Remove what no suite needs anymore.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How many generations of each suite to keep for a rollback.",
)
@REPO
@DRY_RUN
@JSON
@command
def prune(call: Call, directory: str | Bucket, keep: int, dry_run: bool, as_json: bool) -> None:
    """Remove old generations, and the files of the pool that only they name.

    hadeb keeps everything that was in force within the last hour: a client may still download it.
    """
    from hadeb.repo.commands.prune import prune as remove_old

    pruned = with_writer(
        call,
        directory,
        lambda writer: remove_old(writer, keep, dry_run=dry_run),
        reach=Reach.ALL,
        dry_run=dry_run,
    )
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
    for removed in (*pruned.generations, *pruned.files):
        terminal.result(f"- {removed}")
    would = "would be freed" if dry_run else "freed"
    terminal.note(f"{pruned.size / 2**20:.1f} MiB {would}")
