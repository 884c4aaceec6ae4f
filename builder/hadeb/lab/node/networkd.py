# SPDX-License-Identifier: Apache-2.0
"""A node's interfaces as systemd-networkd wants them described. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The node's end of its cable.
CABLE = "host0"
_NETWORK = """[Match]
Name={interface}
[Network]
LinkLocalAddressing={local}
IPv6AcceptRA=no
LLDP=no
"""
# One more interface on the same cable: the faults of the network affect it as well.
_FURTHER = """[NetDev]
Name={interface}
Kind=macvlan
[MACVLAN]
Mode=bridge
"""


def networkd_files(own: Sequence[str], interfaces: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The files below /etc/systemd/network.

    `own` are the addresses of the cable, with prefix lengths. `interfaces` has more addresses for
    it, and further interfaces with theirs.
    """
    further = {name: addresses for name, addresses in interfaces.items() if name != CABLE}
    lines = "".join(f"MACVLAN={name}\n" for name in further)
    files = {"10-lab.network": _network(CABLE, [*own, *interfaces.get(CABLE, ())], lines)}
    for number, (name, addresses) in enumerate(further.items(), start=1):
        files[f"20-lab-{number}.netdev"] = _FURTHER.format(interface=name)
        files[f"20-lab-{number}.network"] = _network(name, addresses)
    return files


def _network(interface: str, addresses: Sequence[str], more: str = "") -> str:
    # A neighbor of an IPv6 address is asked for from a link-local one.
    local = "ipv6" if any(":" in address for address in addresses) else "no"
    own = (f"[Address]\nAddress={each}\nDuplicateAddressDetection=none\n" for each in addresses)
    return _NETWORK.format(interface=interface, local=local) + more + "".join(own)
