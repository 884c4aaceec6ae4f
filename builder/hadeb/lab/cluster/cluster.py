# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker cluster of two to five nodes, ready to take resources."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from hadeb.debian.releases import Suite
from hadeb.errors import HadebError, UsageError
from hadeb.lab.client.watch import Watch, targets_of
from hadeb.lab.cluster.configuration import corosync_conf, with_fencing, with_properties
from hadeb.lab.host.namespaces import POWER, Space
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node
from hadeb.manifest.cluster import AnswerTable
from hadeb.run import Completed

NETWORK = "172.16.0"
PREFIX = 24
# Clients ask from these; the bridge has them.
SOURCES = (f"{NETWORK}.254", f"{NETWORK}.253")
SIZES = range(2, 6)
# How often in a row a coordinator has to be idle: a change takes a moment to reach it.
_STAYS = 3

# Each node starts from the same configuration, so that the first election does not wait 20 s for
# nodes that might join, and no resource waits for fencing that nobody set up.
_PROPERTIES = {"dc-deadtime": "2s", "stonith-enabled": "false"}
_POWER = Path(__file__).with_name("power.py")
_FENCE_AGENT = Path(__file__).with_name("fence_lab")


class Cluster:
    """Boots its nodes when entered; nothing of them stays when left.

    Entered means quorate and all online. Nodes are called ha1, ha2, … as in the docs. With
    `fencing` a node that is lost has its power cut before another takes over. `totem` is what
    corosync's configuration says beyond its defaults. `packages` are Debian's, and on the nodes
    besides what every node has.
    """

    def __init__(
        self,
        suite: Suite,
        *,
        size: int = 3,
        fencing: bool = False,
        totem: Mapping[str, int] | None = None,
        packages: Sequence[str] = (),
        info: Callable[[str], None] = lambda _: None,
    ) -> None:
        if size not in SIZES:
            raise UsageError(f"a lab has 2 to 5 nodes, not {size}")
        self.suite = suite
        self.fencing = fencing
        self.totem = totem or {}
        self._packages = tuple(packages)
        self._info = info
        self._stack = ExitStack()
        self.space = Space([f"{source}/{PREFIX}" for source in SOURCES])
        names = [f"ha{number}" for number in range(1, size + 1)]
        self._addresses = {
            name: f"{NETWORK}.{number}" for number, name in enumerate(names, start=1)
        }
        self.nodes: tuple[Node, ...] = ()
        # Nodes that hear nobody for now, or do not answer: no command is given there.
        self.deaf: set[str] = set()
        self._watches = 0

    def __enter__(self) -> Self:
        root = image(self.suite, self._packages, info=self._info)
        with ExitStack() as stack:
            stack.enter_context(self.space)
            self.nodes = tuple(
                Node(self.space, name, root, (Address(ip, PREFIX),))
                for name, ip in self._addresses.items()
            )
            self._serve_power()
            self._on_all(self._prepare)
            self._info(f"booting {', '.join(self._addresses)}")
            self._on_all(Node.boot)
            self.wait_online()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def keep(self) -> None:
        """Let the cluster stay when this process ends, for `kept_labs` to find."""
        self.space.record(
            {
                "suite": self.suite,
                "nodes": {node.name: str(node.addresses[0]) for node in self.nodes},
            }
        )
        self.space.keep()
        self._stack = ExitStack()

    def _on_all(self, action: Callable[[Node], None]) -> None:
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            try:
                for _ in pool.map(action, self.nodes):
                    pass
            except BaseException:
                # Nobody waits for the others' boots to end: without their space they do.
                self.space.close()
                raise

    def _serve_power(self) -> None:
        program = (sys.executable, "-I", str(_POWER))
        socket = self.space.state / POWER
        switch = self.space.start(*program, str(socket), self._group, stdout=subprocess.PIPE)
        assert switch.stdout
        if switch.stdout.readline() != b"ready\n":
            said = switch.stdout.read().decode(errors="replace").strip()
            raise HadebError(f"the lab's power switch broke: {said}")

    @property
    def _group(self) -> str:
        return f"/sys/fs/cgroup/{self.space.cgroup}"

    def freeze(self, node: Node, *, frozen: bool = True) -> None:
        """Stop a node's time without taking its power, or let it go on."""
        script = 'echo "$2" >"/sys/fs/cgroup/$1/cgroup.freeze"'
        self.space.run("sh", "-c", script, "freeze", node.group, "1" if frozen else "0")

    def _prepare(self, node: Node) -> None:
        node.create(hosts=self._addresses)
        node.place("/etc/corosync/corosync.conf", corosync_conf(self._addresses, self.totem))
        # Pacemaker's own, for its schema: with an older one each of its tools converts it anew.
        empty = node.offline("cibadmin", "--empty").stdout
        cib = with_properties(empty, _PROPERTIES)
        if self.fencing:
            node.place("/usr/sbin/fence_lab", _FENCE_AGENT.read_bytes(), mode=0o755)
            cib = with_fencing(cib, list(self._addresses))
        node.place("/var/lib/pacemaker/cib/cib.xml", cib, mode=0o600, owner="hacluster:haclient")
        node.offline("systemctl", "enable", "corosync", "pacemaker")

    def __getitem__(self, name: str) -> Node:
        """The node of a name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise UsageError(f"there is no node {name}; there are {', '.join(self._addresses)}")

    @property
    def any(self) -> Node:
        """A node that is on, to give the cluster commands from."""
        for node in self.nodes:
            if node.is_on and node.name not in self.deaf:
                return node
        raise HadebError("no node is on that could be asked")

    def pcs(self, command: str, *, timeout: float = 60.0, check: bool = True) -> Completed:
        """Give a pcs command as an operator types it, without the word pcs."""
        return self.any.exec("pcs", *shlex.split(command), timeout=timeout, check=check)

    def settle(self, *, timeout: float = 60.0) -> None:
        """Wait until the cluster has nothing left to do; HadebError after the timeout.

        It is at rest when its coordinator stays idle: `crm_resource --wait` looks every two
        seconds only, and may see work that the coordinator, which would have to do it, does not.
        """
        deadline = time.monotonic() + timeout
        idle = 0
        while idle < _STAYS:
            idle = idle + 1 if self._is_idle() else 0
            if time.monotonic() > deadline:
                raise HadebError(f"the cluster did not come to rest within {timeout:.0f} s")
            time.sleep(0.15)

    def _is_idle(self) -> bool:
        controller = self._status().find("summary/current_dc")
        if controller is None or not controller.get("name"):
            return False
        state = self.any.exec("crmadmin", "--status", controller.attrib["name"], check=False)
        return "S_IDLE" in state.stdout

    def where(self, resource: str) -> str | None:
        """The node that runs a resource, or has it promoted; None where none does.

        Raises HadebError where two do that must not.
        """
        status = self._status()
        running = [
            (node.attrib["name"], one.attrib["role"] in {"Promoted", "Master"})
            for one in status.iter("resource")
            if one.attrib["id"] == resource and one.attrib["role"] != "Stopped"
            for node in one.iter("node")
        ]
        found = [name for name, promoted in running if promoted] or [name for name, _ in running]
        for clone in status.iter("clone"):
            if any(one.attrib["id"] == resource for one in clone.iter("resource")):
                # Of copies that nobody has promoted none is the one that clients ask.
                roles = clone.get("multi_state") == "true"
                found = [name for name, promoted in running if promoted or not roles][:1]
        if len(found) > 1:
            raise HadebError(f"{resource} runs on {' and '.join(sorted(found))}")
        return found[0] if found else None

    def fail_count(self, resource: str) -> int:
        """How many failures of a resource the cluster has counted, on all nodes together."""
        histories = self._status().iterfind("node_history/node/resource_history")
        return sum(
            int(one.attrib.get("fail-count", "0").replace("INFINITY", "1000000"))
            for one in histories
            if one.attrib["id"] == resource
        )

    def blocked(self) -> list[str]:
        """The resources that the cluster has given up, as after a stop that failed."""
        found = {
            one.attrib["id"]
            for one in self._status().iter("resource")
            if one.get("blocked") == "true"
        }
        return sorted(found)

    def failures(self) -> list[str]:
        """The operations that failed and are not cleaned up, a sentence each."""
        return [
            f"{one.get('op_key')} on {one.get('node')}: {one.get('exitstatus')}"
            + (f" ({one.get('exitreason')})" if one.get("exitreason") else "")
            for one in self._status().iterfind("failures/failure")
        ]

    def standbys(self) -> list[str]:
        """The nodes that are on standby."""
        nodes = self._status().iterfind("nodes/node")
        return [node.attrib["name"] for node in nodes if node.attrib["standby"] == "true"]

    def coordinator(self) -> str:
        """The node whose controller decides for all; HadebError while there is none."""
        found = self._status().find("summary/current_dc")
        if found is None or not found.get("name"):
            raise HadebError("the cluster has no designated coordinator")
        return found.attrib["name"]

    def online(self) -> set[str]:
        """The nodes that the cluster sees as members, from where there is a quorum."""
        status = self._status()
        controller = status.find("summary/current_dc")
        if controller is None or controller.attrib.get("with_quorum") != "true":
            return set()
        return {
            node.attrib["name"]
            for node in status.iterfind("nodes/node")
            if node.attrib["online"] == "true" and node.attrib["pending"] == "false"
        }

    def wait_online(self, *, timeout: float = 60.0) -> None:
        """Wait until every node with power is a member of a quorate cluster."""
        deadline = time.monotonic() + timeout
        # A node may lose its power meanwhile, by a fencing that comes late.
        while (there := self.online()) != (
            wanted := {node.name for node in self.nodes if node.is_on}
        ):
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(wanted - there)) or "a dead node is still a member"
                raise HadebError(f"not a cluster after {timeout:.0f} s: {missing}")
            time.sleep(0.1)

    def watch(self, answer: AnswerTable) -> Watch:
        """Ask a service's address, and each node's own, from outside the nodes."""
        self._watches += 1
        targets = targets_of(answer, self._addresses, SOURCES)
        return Watch(self.space, targets, answer.expect, f"watch-{self._watches}")

    def _status(self) -> ET.Element:
        done = self.any.exec("crm_mon", "--one-shot", "--output-as=xml", check=False)
        try:
            return ET.fromstring(done.stdout)
        except ET.ParseError:
            # Pacemaker is not up yet, or says so in words of another kind.
            return ET.Element("pacemaker-result")
