# SPDX-License-Identifier: Apache-2.0
"""The manifest's own addresses and interfaces work in the lab."""

from __future__ import annotations

import ipaddress

import pytest

from hadeb.errors import UsageError
from hadeb.lab.cluster.network import SOURCES, Network, address_of, lab_addresses, network_of
from hadeb.lab.node.networkd import networkd_files
from hadeb.manifest.cluster import AnswerTable, ClusterTable, ResourceTable

NODES = lab_addresses(5)


def table(*parameters: dict[str, str], agent: str = "ocf:heartbeat:IPaddr2") -> ClusterTable:
    return ClusterTable(
        resource=tuple(
            ResourceTable(name=f"VIP-{number}", agent=agent, parameters=each)
            for number, each in enumerate(parameters, start=1)
        )
    )


def network(*parameters: dict[str, str], agent: str = "ocf:heartbeat:IPaddr2") -> Network:
    return network_of(table(*parameters, agent=agent), NODES)


def on_nodes(network: Network, interface: str) -> set[str]:
    """The networks in which every node has an address of its own on an interface."""
    (networks,) = {
        frozenset(str(ipaddress.ip_interface(each).network) for each in there[interface])
        for there in network.interfaces.values()
    }
    return set(networks)


@pytest.mark.parametrize(
    ("parameters", "interface", "expected"),
    [
        ({"ip": "10.1.2.3", "cidr_netmask": "16"}, "host0", "10.1.0.0/16"),
        ({"ip": "10.1.2.3", "cidr_netmask": "255.255.0.0"}, "host0", "10.1.0.0/16"),
        ({"ip": "192.168.7.10", "cidr_netmask": "24", "nic": "eth0"}, "eth0", "192.168.7.0/24"),
        ({"ip": "192.168.7.10", "nic": "ens192:web"}, "ens192", "192.168.7.0/24"),
        (
            {"ip": "192.168.7.10", "cidr_netmask": "32", "nic": "bond0.7"},
            "bond0.7",
            "192.168.7.0/24",
        ),
        ({"ip": "192.168.7.1", "cidr_netmask": "30", "nic": "lo"}, "host0", "192.168.7.0/24"),
        ({"ip": "172.16.0.60", "cidr_netmask": "24", "nic": "eth1"}, "eth1", "172.16.0.0/24"),
        ({"ip": "172.16.5.1", "cidr_netmask": "16"}, "host0", "172.16.0.0/16"),
        ({"ip": "2001:db8::7", "cidr_netmask": "128"}, "host0", "2001:db8::/64"),
        ({"ip": "2001:db8::7", "nic": "br-lan"}, "br-lan", "2001:db8::/64"),
        ({"ipv6addr": "fd12::7/48", "nic": "eth0"}, "eth0", "fd12::/48"),
    ],
)
def test_nodes_and_clients_are_in_the_network_of_an_address(
    parameters: dict[str, str], interface: str, expected: str
) -> None:
    made = network(parameters)
    assert on_nodes(made, interface) == {expected}
    address = str(address_of(table(parameters).resource[0]))
    assert all(
        ipaddress.ip_address(source) in ipaddress.ip_network(expected)
        for source in made.sources(address)
    )
    everyone = [
        *made.clients,
        *(each for there in made.interfaces.values() for own in there.values() for each in own),
    ]
    taken = [str(ipaddress.ip_interface(each).ip) for each in everyone]
    assert len(taken) == len(set(taken))
    assert not {address, *SOURCES, *NODES.values()} & set(taken)
    assert made.notes


@pytest.mark.parametrize(
    "parameters",
    [
        {"ip": "172.16.0.50", "cidr_netmask": "24"},
        {"ip": "172.16.0.50"},
        {"ip": "172.16.0.50", "cidr_netmask": "32", "nic": "host0"},
        {"ip": "127.0.0.9", "nic": "lo"},
        # What the agent refuses is for the agent to refuse.
        {"ip": "10.1.2", "nic": "eth0 eth1"},
        {"ip": "10.1.2.3", "cidr_netmask": "99"},
        {"config": "/etc/10.1.2.3"},
    ],
)
def test_what_the_lab_has_already_needs_nothing(parameters: dict[str, str]) -> None:
    made = network(parameters)
    assert (made.clients, made.notes) == ((), ())
    assert not any(made.interfaces.values())
    assert made.sources("172.16.0.50") == SOURCES


def test_two_networks_and_two_interfaces() -> None:
    made = network(
        {"ip": "10.1.2.3", "cidr_netmask": "16", "nic": "eth0"},
        {"ip": "10.1.2.4", "cidr_netmask": "16", "nic": "eth0"},
        {"ip": "192.168.7.10", "cidr_netmask": "24", "nic": "eth1"},
    )
    assert on_nodes(made, "eth0") == {"10.1.0.0/16"}
    assert on_nodes(made, "eth1") == {"192.168.7.0/24"}
    assert len(made.clients) == 4
    assert {source.partition(".")[0] for source in made.sources("10.1.2.4")} == {"10"}


def test_no_address_of_the_manifest_is_given_away() -> None:
    peers = " ".join(f"10.9.9.{number}" for number in range(245, 255))
    made = network({"ip": "10.9.9.1", "cidr_netmask": "24", "hosts": peers})
    assert made.clients == ("10.9.9.244/24", "10.9.9.243/24")


def test_an_interface_that_is_only_watched_is_there() -> None:
    made = network({"interface": "eth7"}, agent="ocf:heartbeat:ethmonitor")
    assert on_nodes(made, "eth7") == set()


@pytest.mark.parametrize(
    ("address", "whose"),
    [("172.16.0.1", "its node ha1"), ("172.16.0.5", "its node ha5"), (SOURCES[0], "its clients")],
)
def test_an_address_of_the_labs_own_is_refused(address: str, whose: str) -> None:
    with pytest.raises(UsageError) as refused:
        network({"ip": address, "cidr_netmask": "24"})
    assert refused.value.message == f"VIP-1: the lab needs {address} itself, for {whose}"


def test_a_service_without_a_virtual_address_is_asked_as_ever() -> None:
    cluster = ClusterTable(
        resource=(ResourceTable(name="A", agent="ocf:example:a"),),
        answer=AnswerTable(address="172.16.0.1", port=1),
    )
    made = network_of(cluster, NODES)
    assert made.sources("172.16.0.1") == SOURCES
    assert made.direct("172.16.0.1", NODES) == NODES


def test_nodes_are_asked_directly_in_the_family_of_the_service() -> None:
    made = network({"ip": "2001:db8::7"})
    direct = made.direct("2001:db8::7", NODES)
    assert direct.keys() == NODES.keys()
    assert all(":" in address for address in direct.values())


def test_systemd_networkd_makes_the_interfaces() -> None:
    files = networkd_files(
        ["172.16.0.1/24"], {"host0": ["10.1.255.254/16"], "bond0": ["fd00::1/64"]}
    )
    assert files.keys() == {"10-lab.network", "20-lab-1.netdev", "20-lab-1.network"}
    assert "MACVLAN=bond0\n[Address]\nAddress=172.16.0.1/24\n" in files["10-lab.network"]
    assert "Address=10.1.255.254/16\n" in files["10-lab.network"]
    assert "LinkLocalAddressing=no" in files["10-lab.network"]
    assert "Name=bond0\nKind=macvlan\n" in files["20-lab-1.netdev"]
    assert "LinkLocalAddressing=ipv6" in files["20-lab-1.network"]
