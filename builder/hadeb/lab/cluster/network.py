# SPDX-License-Identifier: Apache-2.0
"""The lab's one network, as the manifest's addresses need it. Pure.

A cluster's virtual addresses belong to networks of its site, on interfaces of its machines. The lab
has one bridge. So that a manifest runs there as it is, nodes and clients get addresses in each of
those networks, and nodes get interfaces of those names, all on that bridge.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hadeb.errors import UsageError
from hadeb.manifest.cluster import ClusterTable, ResourceTable

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

NETWORK = "172.16.0"
PREFIX = 24
# Clients ask from these; the bridge has them.
SOURCES = (f"{NETWORK}.254", f"{NETWORK}.253")
# The interface of a node that is on the bridge.
INTERFACE = "host0"

_LAB = ipaddress.IPv4Network(f"{NETWORK}.0/{PREFIX}")
# Interfaces that every node has.
_THERE = {INTERFACE, "lo"}
# The longest prefixes with room for five nodes, two clients and some addresses of the manifest.
_LONGEST = {4: 27, 6: 120}
# The prefixes of networks whose resource names none, or only its own address.
_USUAL = {4: 24, 6: 64}
# What Linux takes for the name of an interface (dev_valid_name in net/core/dev.c).
_NAME = re.compile(r"(?!\.{1,2}\Z)[^\s/:]{1,15}")


@dataclass(frozen=True, slots=True)
class Network:
    """What nodes and clients have beyond their addresses in the lab's own network.

    `interfaces` maps a node's name to its interfaces, each with its addresses; an interface that
    no machine has is made. `clients` are the bridge's addresses. Each address has its prefix
    length. `notes` say what stands for what, a sentence each.
    """

    interfaces: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    clients: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def sources(self, address: str) -> tuple[str, ...]:
        """The addresses that clients ask an address from: those in its network."""
        target = ipaddress.ip_address(address)
        near = [
            each for each in map(ipaddress.ip_interface, self.clients) if target in each.network
        ]
        if target in _LAB or (not near and target.version == _LAB.version):
            return SOURCES
        closest = max((each.network.prefixlen for each in near), default=0)
        return tuple(str(each.ip) for each in near if each.network.prefixlen == closest) or ("",)

    def direct(self, address: str, nodes: Mapping[str, str]) -> dict[str, str]:
        """Each node's own address, of the same family as the service's."""
        target = ipaddress.ip_address(address)
        if target.version == _LAB.version:
            return dict(nodes)
        return {
            name: str(own.ip)
            for name in nodes
            for own in map(ipaddress.ip_interface, self._addresses(name))
            if target in own.network
        }

    def _addresses(self, node: str) -> Iterator[str]:
        for addresses in self.interfaces.get(node, {}).values():
            yield from addresses


def lab_addresses(size: int) -> dict[str, str]:
    """The nodes' names, and their addresses in the lab's own network."""
    return {f"ha{number}": f"{NETWORK}.{number}" for number in range(1, size + 1)}


def address_of(resource: ResourceTable) -> IpAddress | None:
    """The virtual address that a resource holds, None if it holds none."""
    parameters = resource.parameters
    text = parameters.get("ip") or parameters.get("ipv6addr") or parameters.get("ipaddress") or ""
    return _parsed(text.partition("/")[0])


def network_of(table: ClusterTable, nodes: Mapping[str, str]) -> Network:
    """What the resources of a cluster need. Raises UsageError for an address of the lab's own."""
    wanted = dict.fromkeys(_wanted(table))
    if taken := _taken(table, nodes):
        raise UsageError(
            taken, hint=f"give it an address that the lab does not use in {_LAB}, or of another net"
        )
    used = _named(table) | {*map(ipaddress.ip_address, (*nodes.values(), *SOURCES))}
    interfaces: dict[str, dict[str, list[str]]] = {
        node: {name: [] for _, name in wanted} for node in nodes
    }
    clients: dict[IpNetwork, list[str]] = {}
    for network, name in wanted:
        if not network:
            continue
        free = _free(network, used)
        if network != _LAB and network not in clients:
            clients[network] = [f"{next(free)}/{network.prefixlen}" for _ in SOURCES]
        for node in nodes:
            interfaces[node][name].append(f"{next(free)}/{network.prefixlen}")
    return Network(
        interfaces=interfaces,
        clients=tuple(address for each in clients.values() for address in each),
        notes=tuple(_notes(table)),
    )


def _wanted(table: ClusterTable) -> Iterator[tuple[IpNetwork | None, str]]:
    """The networks that nodes need an address in, each with the interface that it goes to."""
    for resource in table.resource:
        name = _interface(resource)
        network = _network(resource)
        if network and _is_labs(network):
            # Everything is there, unless the address goes to an interface of its own.
            network = _LAB if name != INTERFACE else None
        if network or name != INTERFACE:
            yield network, name


def _notes(table: ClusterTable) -> Iterator[str]:
    for resource in table.resource:
        address, network, name = address_of(resource), _network(resource), _interface(resource)
        if name not in _THERE:
            yield f"{resource.name}: {name} is an interface of each node on the lab's one network"
        if network and not _is_labs(network):
            yield (
                f"{resource.name}: {address} is reached in {network}, where the lab's nodes and "
                "clients have addresses"
            )


def _is_labs(network: IpNetwork) -> bool:
    """Whether every node and client has an address in it already."""
    return isinstance(network, ipaddress.IPv4Network) and network.subnet_of(_LAB)


def _interface(resource: ResourceTable) -> str:
    """The interface that a resource names; a label after a colon is not part of the name."""
    parameters = resource.parameters
    name = parameters.get("nic", "").partition(":")[0]
    if not name and resource.agent.endswith(":ethmonitor"):
        name = parameters.get("interface", "")
    # Nothing makes an interface of an impossible name; the agent then says so.
    return name if _NAME.fullmatch(name) and name != "lo" else INTERFACE


def _network(resource: ResourceTable) -> IpNetwork | None:
    """The network of a resource's address; a usual one where it names none or too small a one."""
    address = address_of(resource)
    if not address or not _is_reachable(address):
        return None
    parameters = resource.parameters
    within = parameters.get("ipv6addr", "").partition("/")[2]
    mask = parameters.get("cidr_netmask") or parameters.get("netmask") or within
    usual = _USUAL[address.version]
    try:
        network = ipaddress.ip_network(f"{address}/{mask or usual}", strict=False)
    except ValueError:
        # The agent refuses it.
        return None
    if not 0 < network.prefixlen <= _LONGEST[address.version]:
        network = ipaddress.ip_network(f"{address}/{usual}", strict=False)
    return network


def _is_reachable(address: IpAddress) -> bool:
    """Whether a client of another machine can ask the address at all."""
    in_zone = address.version == 6 and address.is_link_local
    return not (address.is_loopback or address.is_multicast or address.is_unspecified or in_zone)


def _taken(table: ClusterTable, nodes: Mapping[str, str]) -> str:
    """Which resource's address is one of the lab's own, empty if there is none."""
    own = {ip: f"its node {name}" for name, ip in nodes.items()}
    own |= dict.fromkeys(SOURCES, "its clients")
    for resource in table.resource:
        address = str(address_of(resource))
        if address in own:
            return f"{resource.name}: the lab needs {address} itself, for {own[address]}"
    return ""


def _named(table: ClusterTable) -> set[IpAddress]:
    """Every address that the manifest names anywhere: nobody else may have it."""
    texts = [value for resource in table.resource for value in resource.parameters.values()]
    if table.answer:
        texts.append(table.answer.address)
    words: Iterable[str] = (word for text in texts for word in re.split(r"[\s,;/]+", text))
    return {address for word in words if (address := _parsed(word))}


def _free(network: IpNetwork, used: set[IpAddress]) -> Iterator[IpAddress]:
    """Addresses of a network that are not used, the highest first; each counts as used then."""
    # The highest of a large IPv6 network are reserved (RFC 2526).
    last = min(network.num_addresses - 2, 0xFFFF if network.version == 6 else 1 << 32)
    for offset in range(last, 0, -1):
        address = network[offset]
        if address not in used:
            used.add(address)
            yield address


def _parsed(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
