# SPDX-License-Identifier: Apache-2.0
"""A repository's birth, and what of it never changes afterwards."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hadeb.debian.names import check_architecture, check_codename
from hadeb.errors import HadebError, UsageError
from hadeb.files import atomic
from hadeb.repo.disk.layout import Tree
from hadeb.repo.model.repository import Repository, RepoSuite, read_repository
from hadeb.repo.signing import gpg
from hadeb.run import run

# What may stand in a package's name and in a Release; apt ignores a .sources file with a + in
# its name, and says nothing.
_NAME = re.compile("[a-z0-9][a-z0-9.-]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a call says of the repository and the suite; None or empty where it says nothing."""

    name: str | None = None
    origin: str | None = None
    label: str | None = None
    url: str | None = None
    key: str | None = None
    codename: str | None = None
    architectures: tuple[str, ...] = ()
    valid_days: int | None = None


def repository_at(where: str, base: Path) -> Tree:
    """Where a repository is, or is to be: a directory, as a user names it, seen from `base`.

    The one place that knows what else could be named. Raises UsageError where it cannot be there.
    """
    if scheme := _SCHEME.match(where):
        raise UsageError(
            f"--repo {where}: hadeb publishes to no {scheme[0]}",
            hint="name a directory; a copy of it is what others serve",
        )
    root = base / where
    for above in (root, *root.parents):
        if above.is_dir():
            break
        if above.exists() or above.is_symlink():
            raise UsageError(
                f"--repo {where}: {above} is there, and no directory",
                hint="name another directory with --repo, or move that away",
            )
    return Tree(root)


def open_repository(tree: Tree) -> Repository:
    """The repository in a directory; UsageError where there is none."""
    found = find_repository(tree)
    if found is None:
        raise UsageError(
            f"there is no repository in {tree.root}", hint="hadeb publish --repo DIR makes one"
        )
    return found


def find_repository(tree: Tree) -> Repository | None:
    """The repository in a directory, with the suites that were published; None where there is none.

    A suite without a generation is left of a command that was killed.
    """
    known = _written(tree)
    if known is None:
        return None
    suites = tuple(suite for suite in known.suites if tree.numbers(suite.name))
    return dataclasses.replace(known, suites=suites)


def _written(tree: Tree) -> Repository | None:
    try:
        text = tree.repository.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise HadebError(
            f"{tree.repository} is damaged: {error}",
            hint="put it back from a copy of the repository",
        ) from error
    return read_repository(text, str(tree.repository))


def save_repository(tree: Tree, repository: Repository) -> None:
    """Write what the repository is; only where it has changed."""
    if _written(tree) != repository:
        atomic.replace(tree.repository, repository.write().encode())


def wished_repository(tree: Tree, wishes: Wishes, keychain: gpg.Keychain) -> Repository:
    """The repository as it is to be; nothing is written.

    Raises UsageError where a wish goes against what clients know of it. Of a first publish that was
    refused they know nothing, and the key that it made is all that stays.
    """
    known = find_repository(tree)
    if known and known.suites:
        return _reborn(known, wishes, keychain)
    keys = _first_keys(keychain, wishes.key)
    born = _born(tree, wishes, keys or (known.keys if known else ()))
    if known is None:
        return born
    # A package of keys may be in the pool already.
    return dataclasses.replace(
        born,
        keyring_version=known.keyring_version,
        keyring_digest=known.keyring_digest,
        keyring_time=known.keyring_time,
    )


def _born(tree: Tree, wishes: Wishes, keys: tuple[str, ...]) -> Repository:
    """A repository that is to be; where it has no key yet, one is to be made."""
    name = wishes.name or re.sub("[^a-z0-9.-]+", "-", tree.root.resolve().name.lower()).strip("-.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a repository's name: small letters, digits, . and -",
            hint="name it with --name",
        )
    for option, value in (("origin", wishes.origin), ("label", wishes.label)):
        if value is not None and not (value.isprintable() and value.strip() == value != ""):
            raise UsageError(
                f"--{option} {value!r}: it is a line of text in UTF-8, with nothing in it that "
                "does not print",
                hint="clients' apt shows it, and compares it byte by byte",
            )
    _check_url(wishes.url)
    origin = wishes.origin or name
    return Repository(
        name=name,
        origin=origin,
        label=wishes.label or origin,
        url=wishes.url or f"file:{quote(os.fsencode(tree.root.resolve()))}",
        keys=keys,
    )


def _first_keys(keychain: gpg.Keychain, key: str | None) -> tuple[str, ...]:
    """The key that is named, or those of a key file; none where one is to be made."""
    if key is not None:
        return (full_fingerprint(keychain, key),)
    if keychain.home is None:
        return ()
    return tuple(each.fingerprint for each in gpg.secret_keys(keychain))


def full_fingerprint(keychain: gpg.Keychain, key: str) -> str:
    """The fingerprint of the one secret key that a user means."""
    found = gpg.secret_keys(keychain, [key])
    if len(found) != 1:
        listed = "".join(f"\n  {each.fingerprint} {each.user_id}" for each in found) or " none"
        raise HadebError(
            f"{key} is to be one key that can sign; gpg finds:{listed}",
            hint="name it by its fingerprint",
        )
    return found[0].fingerprint


def _reborn(repository: Repository, wishes: Wishes, keychain: gpg.Keychain) -> Repository:
    """The repository with what may change; UsageError where a wish goes against its birth."""
    fixed = {"name": repository.name, "origin": repository.origin, "label": repository.label}
    for option, value in fixed.items():
        wanted = getattr(wishes, option)
        if wanted is not None and wanted != value:
            raise _fixed(f"--{option} {wanted}", f"{option} {value}")
    # gpg is asked only about what is no whole fingerprint: each call takes time.
    if (
        wishes.key
        and wishes.key not in repository.keys
        and full_fingerprint(keychain, wishes.key) not in repository.keys
    ):
        raise UsageError(
            f"{wishes.key} does not sign here; {', '.join(repository.keys)} does",
            hint="a new key comes in with hadeb repo key add",
        )
    if wishes.url is None or wishes.url == repository.url:
        return repository
    _check_url(wishes.url)
    former = dict.fromkeys([repository.url, *repository.former_urls])
    former.pop(wishes.url, None)
    return dataclasses.replace(repository, url=wishes.url, former_urls=tuple(former))


def _check_url(url: str | None) -> None:
    if url is not None and not _URL.fullmatch(url):
        raise UsageError(
            f"--url {url!r} is no URL for apt", hint="as in --url https://apt.example.org/sample"
        )


def _fixed(asked: str, has: str) -> UsageError:
    return UsageError(
        f"{asked}: this repository was born with {has}",
        hint="apt refuses a repository that changes it; make a new one in another directory",
    )


def wished_suite(repository: Repository, name: str, component: str, wishes: Wishes) -> RepoSuite:
    """The suite as it is to be: made where it is not there, wider where more is wished for."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a suite's name: small letters, digits, . and -")
    if not _NAME.fullmatch(component):
        raise UsageError(f"{component!r} cannot be a component: small letters, digits, . and -")
    for architecture in wishes.architectures:
        check_architecture(architecture)
    if wishes.codename is not None:
        check_codename(wishes.codename)
    known = {suite.name: suite for suite in repository.suites}
    suite = known.get(name)
    if suite is None:
        native = wishes.architectures or (_native_architecture(),)
        suite = RepoSuite(name, wishes.codename or name, (component,), native)
    elif wishes.codename not in {None, suite.codename}:
        raise _fixed(f"--codename {wishes.codename}", f"codename {suite.codename} for {name}")
    return dataclasses.replace(
        suite,
        components=tuple(dict.fromkeys([*suite.components, component])),
        architectures=tuple(dict.fromkeys([*suite.architectures, *wishes.architectures])),
        valid_days=suite.valid_days if wishes.valid_days is None else wishes.valid_days,
    )


def _native_architecture() -> str:
    return run(("dpkg", "--print-architecture")).stdout.strip()
