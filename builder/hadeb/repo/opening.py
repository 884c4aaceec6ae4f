# SPDX-License-Identifier: Apache-2.0
"""A repository's birth, and what of it never changes afterwards."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from urllib.parse import quote

from hadeb.errors import HadebError, UsageError
from hadeb.repo import durable, signing
from hadeb.repo.identity import Repository, RepoSuite, read_repository
from hadeb.repo.tree import Tree
from hadeb.run import run

# What may stand in a package's name and in a Release; apt ignores a .sources file with a + in
# its name, and says nothing.
_NAME = re.compile("[a-z0-9][a-z0-9.-]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_LINE = re.compile(r"[^\x00-\x1f\x7f]+")


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


def open_repository(tree: Tree) -> Repository:
    """The repository in a directory; UsageError where there is none."""
    found = find_repository(tree)
    if found is None:
        raise UsageError(
            f"there is no repository in {tree.root}", hint="hadeb publish --repo DIR makes one"
        )
    return found


def find_repository(tree: Tree) -> Repository | None:
    """The repository in a directory, None where there is none."""
    try:
        text = tree.repository.read_text("utf-8")
    except FileNotFoundError:
        return None
    return read_repository(text, str(tree.repository))


def save_repository(tree: Tree, repository: Repository) -> None:
    """Write what the repository is; only where it has changed."""
    if find_repository(tree) != repository:
        durable.replace(tree.repository, repository.write().encode())


def born(tree: Tree, wishes: Wishes, keychain: signing.Keychain) -> Repository:
    """A repository that is to be, with a new key where none is named; nothing is written."""
    name = wishes.name or re.sub("[^a-z0-9.-]+", "-", tree.root.resolve().name.lower()).strip("-.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a repository's name: small letters, digits, . and -",
            hint="name it with --name",
        )
    for option, value in (("origin", wishes.origin), ("label", wishes.label)):
        if value is not None and not _LINE.fullmatch(value):
            raise UsageError(f"--{option} is one line of text")
    _check_url(wishes.url)
    origin = wishes.origin or name
    return Repository(
        name=name,
        origin=origin,
        label=wishes.label or origin,
        url=wishes.url or f"file:{quote(str(tree.root.resolve()))}",
        keys=_first_keys(keychain, wishes.key),
    )


def _first_keys(keychain: signing.Keychain, key: str | None) -> tuple[str, ...]:
    """The key that is named, or those of a key file; none where one is to be made."""
    if key is not None:
        return (full_fingerprint(keychain, key),)
    if keychain.home is None:
        return ()
    return tuple(each.fingerprint for each in signing.secret_keys(keychain))


def full_fingerprint(keychain: signing.Keychain, key: str) -> str:
    """The fingerprint of the one secret key that a user means."""
    found = signing.secret_keys(keychain, [key])
    if len(found) != 1:
        listed = "".join(f"\n  {each.fingerprint} {each.user_id}" for each in found) or " none"
        raise HadebError(
            f"{key} is to be one key that can sign; gpg finds:{listed}",
            hint="name it by its fingerprint",
        )
    return found[0].fingerprint


def reborn(repository: Repository, wishes: Wishes, keychain: signing.Keychain) -> Repository:
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
