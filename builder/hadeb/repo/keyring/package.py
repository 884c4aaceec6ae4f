# SPDX-License-Identifier: Apache-2.0
"""The package NAME-archive-keyring, which brings new keys to machines. Pure.

A client's .sources file has the keys embedded, so the package's postinst replaces them there. The
.sources file does not refer to the package's keyring: if it did, removing the package would take
the keys from apt, and a rollback of the suite would bring back the old ones.

The bytes of a version never change, so do not change a template or a text here without need:
hadeb then publishes the keys under a new version.
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
from hadeb.repo.site.template import render

_TEXT = """
The keys that sign the apt repository at

  {url}

as a keyring for programs, and in the sources of apt that follow it: where
/etc/apt/sources.list.d/{name}.sources holds keys, an upgrade of this package
replaces them with those of today.
"""


def keyring_package(repository: Repository, keys: PublicKeys, timestamp: int) -> Package:
    """The package; its version counts the sets of keys so far. `timestamp` is that of a Package.

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
    script = render(
        "keyring/postinst.j2",
        name=repository.name,
        package=name,
        version=version,
        urls="\n".join(addresses(repository)),
        signed_by=keys.signed_by,
    )
    return Package(control, entries, (), (Script("postinst", script),), timestamp)


def _change(keys: PublicKeys, version: str, date: datetime.datetime) -> ChangelogTable:
    listed = [f"Key {key.fingerprint}, {_expiry(key.expires)}." for key in keys.keys]
    return ChangelogTable(version=version, date=date, changes=tuple(listed))


def _expiry(expires: datetime.date | None) -> str:
    return f"valid until {expires:%Y-%m-%d}" if expires else "which does not expire"


def _copyright(repository: Repository, maintainer: str, date: datetime.datetime) -> str:
    return render(
        "keyring/copyright.j2",
        name=repository.name,
        url=address(repository),
        year=date.year,
        holder=maintainer,
        license=license_text("Apache-2.0", None),
    )


def _maintainer(repository: Repository, keys: PublicKeys) -> str:
    """The user ID of the first key that has a full address, else the repository at its host."""
    for key in keys.keys:
        if not maintainer_refusal(key.user_id):
            return key.user_id
    host = urlsplit(repository.url).hostname or "localhost"
    return f"{repository.name} <{repository.name}@{host}>"
