# SPDX-License-Identifier: Apache-2.0
"""The package NAME-archive-keyring, which brings new keys to the machines. Pure.

A client's source has the keys embedded, so the package's script renews them there. It does not
make the source name the package's file: then a removal would take the keys from apt, and a
rollback of the suite would bring back the old ones.
"""

from __future__ import annotations

import datetime
from urllib.parse import urlsplit

from hadeb.manifest.model import ChangelogTable
from hadeb.manifest.values import maintainer_refusal
from hadeb.package.control import changelog, description, gzipped, installed_size, license_text
from hadeb.package.model import File, Package, Script
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.site.sources import address, addresses, keyring_name
from hadeb.repo.site.template import filled

_TEXT = """
The keys that sign the apt repository at

  {url}

as a keyring for programs, and in the sources of apt that follow it: where
/etc/apt/sources.list.d/{name}.sources holds keys, an upgrade of this package
replaces them with those of today.
"""


def keyring_package(repository: Repository, keys: PublicKeys, timestamp: int) -> Package:
    """The package; its version counts the sets of keys that there were. `timestamp` as a Package's.

    The same values give the same package.
    """
    name, version = keyring_name(repository), str(repository.keyring_version)
    maintainer = _maintainer(repository, keys)
    date = datetime.datetime.fromtimestamp(timestamp, datetime.UTC)
    changes = changelog(name, maintainer, [_change(keys, version, date)])
    documents = f"usr/share/doc/{name}"
    entries = (
        File(f"{documents}/changelog.gz", gzipped(changes.encode())),
        File(f"{documents}/copyright", _copyright(repository, maintainer, date).encode()),
        File(f"usr/share/keyrings/{name}.pgp", keys.binary),
    )
    text = _TEXT.format(url=address(repository), name=repository.name)
    control = (
        ("Package", name),
        ("Version", version),
        ("Architecture", "all"),
        ("Multi-Arch", "foreign"),
        ("Maintainer", maintainer),
        ("Installed-Size", str(installed_size(entries))),
        ("Section", "misc"),
        ("Priority", "optional"),
        ("Description", description(f"public keys of the apt repository {repository.name}", text)),
    )
    script = filled(
        "keyring/postinst.in",
        name=repository.name,
        package=name,
        version=version,
        urls="\n".join(addresses(repository)),
        signed=keys.signed_by,
    )
    return Package(control, entries, (), (Script("postinst", script),), timestamp)


def _change(keys: PublicKeys, version: str, date: datetime.datetime) -> ChangelogTable:
    listed = [f"Key {key.fingerprint}, {_expiry(key.expires)}." for key in keys.keys]
    return ChangelogTable(version=version, date=date, changes=tuple(listed))


def _expiry(expires: datetime.date | None) -> str:
    return f"valid until {expires:%Y-%m-%d}" if expires else "which does not expire"


def _copyright(repository: Repository, maintainer: str, date: datetime.datetime) -> str:
    return filled(
        "keyring/copyright.in",
        name=repository.name,
        url=address(repository),
        year=str(date.year),
        holder=maintainer,
        license=license_text("Apache-2.0", None),
    )


def _maintainer(repository: Repository, keys: PublicKeys) -> str:
    """Whom the first key with a whole address names; else the repository, at its own host."""
    for key in keys.keys:
        if not maintainer_refusal(key.user_id):
            return key.user_id
    host = urlsplit(repository.url).hostname or "localhost"
    return f"{repository.name} <{repository.name}@{host}>"
