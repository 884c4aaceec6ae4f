# SPDX-License-Identifier: Apache-2.0
"""Create a repository from the options of a command, or update it as far as apt allows."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass
from urllib.parse import quote

from hadeb.debian.names import check_architecture, check_codename
from hadeb.errors import UsageError
from hadeb.repo.disk.layout import Tree
from hadeb.repo.disk.repository_file import find_repository
from hadeb.repo.model.repository import Repository, RepoSuite
from hadeb.repo.signing.keychain import Keychain, full_fingerprint, secret_keys
from hadeb.run import run

# Characters that a package's name and a Release allow, without +: apt silently ignores a .sources
# file with a + in its name.
_NAME = re.compile("[a-z0-9][a-z0-9.-]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")


@dataclass(frozen=True, slots=True)
class Options:
    """The options about repository and suite; None or empty if the user did not give one."""

    name: str | None = None
    origin: str | None = None
    label: str | None = None
    url: str | None = None
    key: str | None = None
    codename: str | None = None
    architectures: tuple[str, ...] = ()
    valid_days: int | None = None


def requested_repository(tree: Tree, options: Options, keychain: Keychain) -> Repository:
    """The repository as the options ask for it; nothing is written.

    Raises UsageError if an option contradicts what clients already know of the repository. After a
    first publish that was refused, they know nothing, and only the key that it made is kept.
    """
    known = find_repository(tree)
    if known and known.suites:
        return _update(known, options, keychain)
    keys = _first_keys(keychain, options.key)
    new = _create(tree, options, keys or (known.keys if known else ()))
    if known is None:
        return new
    # The pool may already have a keyring package.
    return dataclasses.replace(
        new,
        keyring_version=known.keyring_version,
        keyring_digest=known.keyring_digest,
        keyring_time=known.keyring_time,
    )


def _create(tree: Tree, options: Options, keys: tuple[str, ...]) -> Repository:
    """A new repository. If `keys` is empty, the caller has to make a key."""
    name = options.name or re.sub("[^a-z0-9.-]+", "-", tree.root.resolve().name.lower()).strip("-.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a repository's name: use lowercase letters, digits, . and -",
            hint="name it with --name",
        )
    for option, value in (("origin", options.origin), ("label", options.label)):
        if value is not None and not (value.isprintable() and value.strip() == value != ""):
            raise UsageError(
                f"--{option} {value!r}: must be one line of printable UTF-8 text, without "
                "spaces at its ends",
                hint="clients' apt shows it and compares it byte by byte",
            )
    _check_url(options.url)
    origin = options.origin or name
    return Repository(
        name=name,
        origin=origin,
        label=options.label or origin,
        url=options.url or f"file:{quote(os.fsencode(tree.root.resolve()))}",
        keys=keys,
    )


def _first_keys(keychain: Keychain, key: str | None) -> tuple[str, ...]:
    """The key that the user names, or those of a key file; none if one has to be made."""
    if key is not None:
        return (full_fingerprint(keychain, key),)
    if keychain.home is None:
        return ()
    return tuple(key.fingerprint for key in secret_keys(keychain))


def _update(repository: Repository, options: Options, keychain: Keychain) -> Repository:
    """Change what may change; UsageError if an option contradicts what is fixed."""
    fixed = {"name": repository.name, "origin": repository.origin, "label": repository.label}
    for option, value in fixed.items():
        wanted = getattr(options, option)
        if wanted is not None and wanted != value:
            raise _fixed(f"--{option} {wanted}", f"{option} {value}")
    # Ask gpg only if the option is not a full fingerprint: each call takes time.
    if (
        options.key
        and options.key not in repository.keys
        and full_fingerprint(keychain, options.key) not in repository.keys
    ):
        raise UsageError(
            f"{options.key} does not sign this repository; {', '.join(repository.keys)} does",
            hint="add a new key with hadeb repo key add",
        )
    if options.url is None or options.url == repository.url:
        return repository
    _check_url(options.url)
    former = dict.fromkeys([repository.url, *repository.former_urls])
    former.pop(options.url, None)
    return dataclasses.replace(repository, url=options.url, former_urls=tuple(former))


def _check_url(url: str | None) -> None:
    if url is not None and not _URL.fullmatch(url):
        raise UsageError(
            f"--url {url!r} is not a URL that apt accepts",
            hint="write it like --url https://apt.example.org/sample",
        )


def _fixed(asked: str, has: str) -> UsageError:
    return UsageError(
        f"{asked}: this repository was created with {has}",
        hint="apt refuses a repository that changes it; create a new one in another directory",
    )


def requested_suite(
    repository: Repository, name: str, component: str, options: Options
) -> RepoSuite:
    """The suite as the options ask for it: a new one, or the existing one with additions."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a suite's name: use lowercase letters, digits, . and -"
        )
    if not _NAME.fullmatch(component):
        raise UsageError(
            f"{component!r} cannot be a component: use lowercase letters, digits, . and -"
        )
    for architecture in options.architectures:
        check_architecture(architecture)
    if options.codename is not None:
        check_codename(options.codename)
    known = {suite.name: suite for suite in repository.suites}
    suite = known.get(name)
    if suite is None:
        native = options.architectures or (_native_architecture(),)
        suite = RepoSuite(name, options.codename or name, (component,), native)
    elif options.codename not in {None, suite.codename}:
        raise _fixed(f"--codename {options.codename}", f"codename {suite.codename} for {name}")
    return dataclasses.replace(
        suite,
        components=tuple(dict.fromkeys([*suite.components, component])),
        architectures=tuple(dict.fromkeys([*suite.architectures, *options.architectures])),
        valid_days=suite.valid_days if options.valid_days is None else options.valid_days,
    )


def _native_architecture() -> str:
    return run(("dpkg", "--print-architecture")).stdout.strip()
