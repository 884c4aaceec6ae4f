# SPDX-License-Identifier: Apache-2.0
"""`hadeb publish` and what belongs to it: a signed apt repository, and who may change it how."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hadeb import ui
from hadeb.calling import JSON, Call, command

if TYPE_CHECKING:
    from hadeb.repo.transaction import Outcome
    from hadeb.repo.writer import Writer

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what would change, and change nothing."
)
_REPO = click.option(
    "--repo",
    "directory",
    type=_DIRECTORY,
    default=Path(),
    show_default=".",
    help="The repository's directory.",
)
_PHASE = click.option(
    "--phase",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    metavar="PERCENT",
    help="How many of the machines may upgrade to it for now.",
)
_DOWNGRADE = click.option(
    "--downgrade",
    is_flag=True,
    help="Take newer versions out of the suite, so that this one counts.",
)


def _signing(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of whoever signs."""

    @click.option(
        "--key-file", type=_FILE, help="Sign with the secret keys in this file, and no others."
    )
    @click.option(
        "--passphrase-file", type=_FILE, help="The file whose first line opens the secret key."
    )
    @wraps(function)
    def with_keys(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)

    return with_keys


@contextmanager
def _writer(
    call: Call, directory: Path, key_file: Path | None, passphrase_file: Path | None
) -> Iterator[Writer]:
    from hadeb.repo.signing import Keychain, from_key_file
    from hadeb.repo.tree import Tree
    from hadeb.repo.writer import Writer

    def with_keys(keychain: Keychain) -> Writer:
        return Writer(
            tree=Tree(call.context.directory / directory),
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


def _tell(outcomes: Sequence[Outcome], *, as_json: bool, dry_run: bool = False) -> None:
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


@click.command(short_help="Put packages into a signed apt repository.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--repo", "directory", type=_DIRECTORY, required=True, help="Its directory.")
@click.option("--suite", required=True, help="The suite that the packages go to.")
@click.option("--component", default="main", show_default=True, help="The part of the suite.")
@_PHASE
@_DOWNGRADE
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
@_signing
@_DRY_RUN
@JSON
@command
def publish(
    call: Call,
    files: Sequence[Path],
    directory: Path,
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
    key_file: Path | None,
    passphrase_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put each FILE, a .deb, .dsc or .changes, into a suite of a signed apt repository.

    The first call makes the repository, and a key to sign with where none is named. Origin, label
    and codename are fixed from then on. Where one file is wrong, nothing is published.
    """
    from hadeb.repo.opening import Wishes
    from hadeb.repo.publish import Addition
    from hadeb.repo.publish import publish as put

    wishes = Wishes(name, origin, label, url, key, codename, architectures, valid_days)
    addition = Addition(suite, component, phase, downgrade)
    with _writer(call, directory, key_file, passphrase_file) as writer:
        paths = [call.context.directory / file for file in files]
        outcome = put(writer, paths, addition, wishes, dry_run=dry_run)
    _tell([outcome], as_json=as_json, dry_run=dry_run)


def _package(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[str, str | None]:
    name, equals, version = value.partition("=")
    if not name or (equals and not version):
        raise click.BadParameter("is to be NAME or NAME=VERSION", context, parameter)
    return name, version or None


@click.command(short_help="Put a package of one suite into another.")
@click.argument("package", metavar="NAME[=VERSION]", callback=_package)
@click.argument("source", metavar="FROM")
@click.argument("suite", metavar="TO")
@_REPO
@_PHASE
@_DOWNGRADE
@_signing
@_DRY_RUN
@JSON
@command
def promote(
    call: Call,
    package: tuple[str, str | None],
    source: str,
    suite: str,
    directory: Path,
    phase: int,
    downgrade: bool,
    key_file: Path | None,
    passphrase_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put a package of the suite FROM into the suite TO: the newest version, where none is named.

    The same files, byte by byte. With FROM and TO the same, --phase lets more machines upgrade.
    """
    from hadeb.repo.publish import Addition
    from hadeb.repo.publish import promote as put

    with _writer(call, directory, key_file, passphrase_file) as writer:
        addition = Addition(suite, phase=phase, downgrade=downgrade)
        outcome = put(writer, *package, source, addition, dry_run=dry_run)
    _tell([outcome], as_json=as_json, dry_run=dry_run)


@click.command(short_help="Put an older list of a suite in force again.")
@click.argument("suite")
@click.argument("generation", type=click.IntRange(1), required=False)
@_REPO
@_signing
@_DRY_RUN
@JSON
@command
def rollback(
    call: Call,
    suite: str,
    generation: int | None,
    directory: Path,
    key_file: Path | None,
    passphrase_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give SUITE the list of an older GENERATION: that before the last change, if none is named.

    Clients see a newer Release with older versions in it. The preferences file beside index.html
    lets their apt go down.
    """
    from hadeb.repo.rollback import rollback as back

    with _writer(call, directory, key_file, passphrase_file) as writer:
        outcome = back(writer, suite, generation, dry_run=dry_run)
    _tell([outcome], as_json=as_json, dry_run=dry_run)


@click.command(short_help="Remove what no suite needs any more.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How many generations of a suite stay, to go back to.",
)
@_REPO
@_DRY_RUN
@JSON
@command
def prune(call: Call, keep: int, directory: Path, dry_run: bool, as_json: bool) -> None:
    """Remove old generations, and files of the pool that no list names any more.

    What was in force within the last hour stays: a client may be about to download it.
    """
    from hadeb.repo.prune import prune as remove_old

    with _writer(call, directory, None, None) as writer:
        pruned = remove_old(writer, keep, dry_run=dry_run)
    if as_json:
        ui.result_json(
            {
                "generations": pruned.generations,
                "files": pruned.files,
                "size": pruned.size,
                "dry_run": dry_run,
            }
        )
        return
    for gone in (*pruned.generations, *pruned.files):
        ui.result(f"- {gone}")
    would = "would be" if dry_run else "are"
    ui.note(f"{pruned.size / 2**20:.1f} MiB {would} free")


@click.group(short_help="Look at a repository, verify it, and sign it anew.")
def repo() -> None:
    """A signed apt repository: what is in it, who did what, and whether it is whole.

    hadeb publish makes it and puts packages in; promote, rollback and prune change it.
    """


@repo.command()
@_REPO
@JSON
@command
def status(call: Call, directory: Path, as_json: bool) -> None:
    """Say what the repository is, who signs it, and what its suites hold."""
    from hadeb.repo.status import status as look

    found = look(_tree(call, directory))
    if as_json:
        ui.result_json(found.as_json())
    else:
        ui.result(found.text())


@repo.command("list")
@click.argument("suite", required=False)
@_REPO
@JSON
@command
def list_packages(call: Call, suite: str | None, directory: Path, as_json: bool) -> None:
    """List the packages of SUITE, or of all: suite, component, name, version, architecture."""
    from hadeb.repo.status import listed

    rows = listed(_tree(call, directory), suite)
    if as_json:
        ui.result_json(rows)
        return
    for row in rows:
        share = "" if row["phase"] == 100 else f"  {row['phase']} %"
        words = ("suite", "component", "package", "version", "architecture")
        ui.result("  ".join(str(row[word]) for word in words) + share)


@repo.command()
@click.argument("suite")
@_REPO
@JSON
@command
def history(call: Call, suite: str, directory: Path, as_json: bool) -> None:
    """Say who did what to SUITE and when, the last change first."""
    import dataclasses

    from hadeb.repo.history import changes
    from hadeb.repo.opening import open_repository

    tree = _tree(call, directory)
    open_repository(tree).suite(suite)
    records = changes(tree, suite)[::-1]
    if as_json:
        ui.result_json([dataclasses.asdict(change) for change in records])
        return
    for change in records:
        ui.result("\n".join((str(change), *(f"      {line}" for line in change.lines))))


@repo.command()
@_REPO
@JSON
@command
def verify(call: Call, directory: Path, as_json: bool) -> None:
    """Read everything, and say what is not as it was published. Ends with 4 where anything is."""
    from hadeb.repo.verify import verify as look

    with _writer(call, directory, None, None) as writer:
        found = look(writer)
    if as_json:
        ui.result_json(found)
    for fault in () if as_json else found:
        ui.result(fault)
    if found:
        raise SystemExit(4)
    if not as_json:
        call.progress("all is as it was published")


@repo.command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@_REPO
@_signing
@JSON
@command
def refresh(
    call: Call,
    suites: tuple[str, ...],
    directory: Path,
    key_file: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Sign each SUITE anew, or all of them, so that Valid-Until moves on. For a daily timer."""
    from hadeb.repo.rollback import refresh as sign_anew

    with _writer(call, directory, key_file, passphrase_file) as writer:
        outcomes = sign_anew(writer, suites)
    _tell(outcomes, as_json=as_json)


@repo.command("remove")
@click.argument("package", metavar="NAME[=VERSION]", callback=_package)
@click.argument("suite")
@_REPO
@_signing
@_DRY_RUN
@JSON
@command
def remove(
    call: Call,
    package: tuple[str, str | None],
    suite: str,
    directory: Path,
    key_file: Path | None,
    passphrase_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take a package out of SUITE, all its versions where none is named; prune frees its space."""
    from hadeb.repo.publish import remove as take_out

    with _writer(call, directory, key_file, passphrase_file) as writer:
        outcome = take_out(writer, *package, suite, dry_run=dry_run)
    _tell([outcome], as_json=as_json, dry_run=dry_run)


def _tree(call: Call, directory: Path) -> Any:
    from hadeb.repo.tree import Tree

    return Tree(call.context.directory / directory)


COMMANDS = (publish, promote, rollback, prune, repo)
