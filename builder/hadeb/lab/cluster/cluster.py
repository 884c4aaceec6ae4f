# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker cluster of two to five nodes, ready to take resources."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from hadeb.debian.releases import Suite
from hadeb.errors import HadebError, UsageError
from hadeb.lab.client.watch import Watch, targets_of
from hadeb.lab.cluster.configuration import corosync_conf, with_fencing
from hadeb.lab.host.namespaces import POWER, Space
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node
from hadeb.manifest.cluster import AnswerTable
from hadeb.pacemaker.cib import with_properties
from hadeb.pacemaker.status import CRM_MON, Status, parse_status
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
        coordinator = self.status().coordinator
        if not coordinator:
            return False
        state = self.any.exec("crmadmin", "--status", coordinator, check=False)
        return "S_IDLE" in state.stdout

    def status(self) -> Status:
        """What crm_mon reports now; an empty status while no Pacemaker is up."""
        return parse_status(self.any.exec(*CRM_MON, check=False).stdout)

    def where(self, resource: str) -> str | None:
        """The node that runs a resource, as `Status.location` has it."""
        return self.status().location(resource)

    def coordinator(self) -> str:
        """The designated coordinator; HadebError while there is none."""
        if name := self.status().coordinator:
            return name
        raise HadebError("the cluster has no designated coordinator")

    def wait_online(self, *, timeout: float = 60.0) -> None:
        """Wait until every node with power is a member of a quorate cluster."""
        deadline = time.monotonic() + timeout
        # A node may lose its power meanwhile, by a fencing that comes late.
        while (there := self.status().online) != (
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
