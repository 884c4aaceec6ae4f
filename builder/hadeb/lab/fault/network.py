# SPDX-License-Identifier: Apache-2.0
"""Faults of the network, injected at this machine's end of the nodes' cables."""

from __future__ import annotations

import time

from hadeb.lab.host.namespaces import BRIDGE
from hadeb.lab.scenario.stage import Stage

_SECONDS = 8.0


def _cable(name: str) -> str:
    return f"vb-{name}"


def cut(stage: Stage) -> None:
    """Take the victim's cable out of the bridge."""
    stage.cluster.unreachable.add(stage.victim.name)
    stage.cluster.namespaces.run("ip", "link", "set", _cable(stage.victim.name), "nomaster")


def mend_cut(stage: Stage) -> None:
    """Put the cable back, unless the node has been fenced meanwhile."""
    link = _cable(stage.victim.name)
    stage.cluster.namespaces.run("ip", "link", "set", link, "master", BRIDGE, check=False)


def split(stage: Stage) -> None:
    """Drop all packets between the victim and the other nodes, but not those of clients."""
    victim = stage.victim
    stage.cluster.unreachable.add(victim.name)
    others = [node for node in stage.cluster.nodes if node is not victim]
    addresses = ", ".join(node.ip for node in others)
    rules = [_chain(victim.name, f"ip daddr {{ {addresses} }} drop")]
    rules += [_chain(node.name, f"ip daddr {victim.ip} drop") for node in others]
    _filter(stage, rules)


def lose(stage: Stage) -> None:
    """Drop one packet in ten for a while."""
    _filter(stage, [_chain(stage.victim.name, "numgen random mod 100 < 10 drop")])
    time.sleep(_SECONDS)
    mend_filter(stage)


def mend_filter(stage: Stage) -> None:
    """Let all packets pass."""
    stage.cluster.namespaces.run("nft", "delete", "table", "netdev", "lab", check=False)


def slow(stage: Stage) -> None:
    """Limit the victim to half a megabit a second, with a queue that delays packets, briefly."""
    cable = _cable(stage.victim.name)
    shape = ("tbf", "rate", "512kbit", "burst", "4kb", "latency", "300ms")
    stage.cluster.namespaces.run("tc", "qdisc", "replace", "dev", cable, "root", *shape)
    time.sleep(_SECONDS)
    mend_slow(stage)


def mend_slow(stage: Stage) -> None:
    """Remove the limit."""
    cable = _cable(stage.victim.name)
    stage.cluster.namespaces.run("tc", "qdisc", "del", "dev", cable, "root", check=False)


def _chain(node: str, rule: str) -> str:
    hook = f'type filter hook ingress device "{_cable(node)}" priority 0;'
    return f"chain from-{node} {{ {hook} {rule}; }}"


def _filter(stage: Stage, chains: list[str]) -> None:
    table = "\n".join(("table netdev lab {", *chains, "}"))
    stage.cluster.namespaces.run("nft", table)
