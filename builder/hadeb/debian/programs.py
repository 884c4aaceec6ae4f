# SPDX-License-Identifier: Apache-2.0
"""The programs that hadeb starts, and the Debian package of each. Pure."""

from __future__ import annotations

# The lab starts these on this machine; its nodes have their own programs.
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

# Publishing starts these; gpg-agent, which gpg needs, is a separate package.
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
    """The Debian package that has a program."""
    return _PACKAGE_OF.get(program, program)
