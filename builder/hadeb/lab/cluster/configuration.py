# SPDX-License-Identifier: Apache-2.0
"""The configuration that a cluster of the lab starts with: Pacemaker's and corosync's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hadeb.pacemaker.cib import with_fence_device


def with_fencing(cib: str, nodes: Sequence[str]) -> str:
    """A cluster configuration with a fence device that can cut the power of each of the nodes."""
    options = {
        "pcmk_host_check": "static-list",
        "pcmk_host_list": " ".join(nodes),
        # The device cannot turn a node on again.
        "pcmk_reboot_action": "off",
    }
    if len(nodes) == 2:
        # Both halves of a split have quorum. Without a head start they would kill each other.
        options["pcmk_delay_base"] = f"{nodes[0]}:0s;{nodes[1]}:2s"
    return with_fence_device(cib, "POWER", "fence_lab", options)


def corosync_conf(addresses: Mapping[str, str], totem: Mapping[str, int]) -> str:
    """A corosync.conf (corosync.conf(5)) with the defaults except `totem`; two_node for two."""
    nodes = "".join(
        f"    node {{\n        nodeid: {number}\n        name: {name}\n"
        f"        ring0_addr: {ip}\n    }}\n"
        for number, (name, ip) in enumerate(addresses.items(), start=1)
    )
    options = "".join(f"    {name}: {value}\n" for name, value in totem.items())
    two = "    two_node: 1\n" if len(addresses) == 2 else ""
    return (
        f"totem {{\n    version: 2\n    cluster_name: lab\n    transport: knet\n{options}}}\n"
        f"nodelist {{\n{nodes}}}\n"
        f"quorum {{\n    provider: corosync_votequorum\n{two}}}\n"
        "logging {\n    to_stderr: no\n    to_syslog: yes\n}\n"
    )
