# SPDX-License-Identifier: Apache-2.0
"""The programs that hadeb starts, and the Debian package that each is in."""

from __future__ import annotations

# What the lab starts on this machine; in its nodes it brings its own.
LAB = (
    "apt-config",
    "ip",
    "mmdebstrap",
    "mountpoint",
    "nft",
    "nsenter",
    "setpriv",
    "systemd-nspawn",
    "tc",
    "unshare",
)

# What publishing starts; gpg asks gpg-agent, which is a package of its own.
PUBLISH = ("apt-ftparchive", "apt-get", "dpkg-deb", "gpg", "gpg-agent", "gpgconf", "gpgv", "sqv")

_PACKAGE_OF = {
    "apt-config": "apt",
    "apt-ftparchive": "apt-utils",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "dpkg-query": "dpkg",
    "ip": "iproute2",
    "mount": "mount",
    "mountpoint": "util-linux",
    "nft": "nftables",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
    "tc": "iproute2",
    "unshare": "util-linux",
}


def package_of(program: str) -> str:
    """The Debian package to install for a program."""
    return _PACKAGE_OF.get(program, program)
