# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker cluster of two to five nodes, ready to take resources."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from hadeb.debian.releases import Suite
from hadeb.errors import HadebError, UsageError
from hadeb.interrupt import clean_up_after, deferred
from hadeb.lab.client.watch import Watch, targets_of
from hadeb.lab.cluster.configuration import corosync_conf, with_fencing
from hadeb.lab.cluster.network import PREFIX, SOURCES, Network, lab_addresses
from hadeb.lab.cluster.persistent import Origin
from hadeb.lab.host.namespaces import POWER, Namespaces
from hadeb.lab.host.wait import wait_until
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node
from hadeb.manifest.cluster import AnswerTable
from hadeb.pacemaker.cib import with_properties
from hadeb.pacemaker.status import CRM_MON, Status, parse_status
from hadeb.run import Completed

SIZES = range(2, 6)
# How often in a row the coordinator has to be idle: a change takes a moment to reach it.
_TIMES_IDLE = 3

# Each node starts with these, so that the first election does not wait 20 s for nodes that might
# join, and no resource waits for fencing that is not set up.
_PROPERTIES = {"dc-deadtime": "2s", "stonith-enabled": "false"}
_POWER = Path(__file__).with_name("power.py")
_FENCE_AGENT = Path(__file__).with_name("fence_lab")


class Cluster:
    """A context manager: entering it boots the nodes, leaving it removes everything.

    When entered, the cluster has quorum and all nodes are online. Nodes are called ha1, ha2, … as
    in the docs. With `fencing` the power of a lost node is cut before another node takes over.
    `totem` holds corosync's settings where they differ from the defaults. `packages` are Debian
    packages that the nodes get in addition to what every node has. `network` is what nodes and
    clients need for the addresses of the cluster's resources.
    """

    def __init__(
        self,
        suite: Suite,
        *,
        size: int = 3,
        fencing: bool = False,
        totem: Mapping[str, int] | None = None,
        packages: Sequence[str] = (),
        network: Network | None = None,
        info: Callable[[str], None] = lambda _: None,
    ) -> None:
        if size not in SIZES:
            raise UsageError(f"a lab has 2 to 5 nodes, not {size}")
        self.suite = suite
        self.fencing = fencing
        self.totem = totem or {}
        self._packages = tuple(packages)
        self._info = info
        self._persistent = False
        self._network = network or Network()
        own = [f"{source}/{PREFIX}" for source in SOURCES]
        self.namespaces = Namespaces([*own, *self._network.clients])
        self._addresses = lab_addresses(size)
        self.nodes: tuple[Node, ...] = ()
        # Nodes that are cut off or frozen: no command is run there.
        self.unreachable: set[str] = set()
        self._watches = 0

    def __enter__(self) -> Self:
        root = image(self.suite, self._packages, info=self._info)
        try:
            self.namespaces.open()
            self.nodes = tuple(
                Node(
                    self.namespaces,
                    name,
                    root,
                    (Address(ip, PREFIX),),
                    self._network.interfaces.get(name, {}),
                )
                for name, ip in self._addresses.items()
            )
            self._serve_power()
            self._on_all(self._prepare)
            self._info(f"booting {', '.join(self._addresses)}")
            self._on_all(Node.boot)
            self.wait_online()
        except BaseException as error:
            clean_up_after(error, self.namespaces.close)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            clean_up_after(error, self.namespaces.close)
        elif not self._persistent:
            self.namespaces.close()

    def persist(self, origin: Origin) -> None:
        """Keep the cluster if the block ends without an error; `persistent.labs` finds it then."""
        self.namespaces.record(
            {
                "suite": self.suite,
                "origin": asdict(origin),
                "nodes": {node.name: str(node.addresses[0]) for node in self.nodes},
            }
        )
        self.namespaces.persist()
        self._persistent = True

    def _on_all(self, action: Callable[[Node], None]) -> None:
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            try:
                with deferred():
                    futures = [pool.submit(action, node) for node in self.nodes]
                done = wait(futures, return_when=FIRST_EXCEPTION).done
                for future in done:
                    future.result()
            except BaseException as error:
                # Do not wait for the other boots: they end with their namespaces.
                clean_up_after(error, self.namespaces.close)
                raise

    def _serve_power(self) -> None:
        program = (sys.executable, "-I", str(_POWER))
        socket = self.namespaces.state / POWER
        switch = self.namespaces.start(*program, str(socket), self._group, stdout=subprocess.PIPE)
        assert switch.stdout
        if switch.stdout.readline() != b"ready\n":
            output = switch.stdout.read().decode(errors="replace").strip()
            raise HadebError(f"the lab's power switch broke: {output}")

    @property
    def _group(self) -> str:
        return f"/sys/fs/cgroup/{self.namespaces.cgroup}"

    def freeze(self, node: Node, *, frozen: bool = True) -> None:
        """Freeze a node with its power on, or let it go on."""
        script = 'echo "$2" >"/sys/fs/cgroup/$1/cgroup.freeze"'
        self.namespaces.run("sh", "-c", script, "freeze", node.group, "1" if frozen else "0")

    def _prepare(self, node: Node) -> None:
        node.create(hosts=self._addresses)
        node.write_offline(
            "/etc/corosync/corosync.conf", corosync_conf(self._addresses, self.totem)
        )
        # Made by this Pacemaker, for its schema: every tool would have to convert an older one.
        empty = node.offline("cibadmin", "--empty").stdout
        cib = with_properties(empty, _PROPERTIES)
        if self.fencing:
            node.write_offline("/usr/sbin/fence_lab", _FENCE_AGENT.read_bytes(), mode=0o755)
            cib = with_fencing(cib, list(self._addresses))
        node.write_offline(
            "/var/lib/pacemaker/cib/cib.xml", cib, mode=0o600, owner="hacluster:haclient"
        )
        node.offline("systemctl", "enable", "corosync", "pacemaker")

    def __getitem__(self, name: str) -> Node:
        """The node of a name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise UsageError(f"there is no node {name}; there are {', '.join(self._addresses)}")

    @property
    def any(self) -> Node:
        """A node that is on, to run cluster commands on."""
        for node in self.nodes:
            if node.is_on and node.name not in self.unreachable:
                return node
        raise HadebError("no node is on that could run a cluster command")

    def pcs(self, command: str, *, timeout: float = 60.0, check: bool = True) -> Completed:
        """Run a pcs command as an operator types it, without the word pcs."""
        return self.any.exec("pcs", *shlex.split(command), timeout=timeout, check=check)

    def settle(
        self, *, timeout: float = 60.0, give_up: Callable[[Status], str] = lambda _: ""
    ) -> None:
        """Wait until the cluster has nothing left to do; HadebError after the timeout.

        If `give_up` returns a reason not to wait any longer, that is raised instead.

        It has nothing left to do when its coordinator stays idle. `crm_resource --wait` looks only
        every two seconds, and may see work that the coordinator does not see.
        """
        idle = 0

        def stays_idle() -> bool:
            nonlocal idle
            status = self.status()
            if why := give_up(status):
                raise HadebError(why)
            idle = idle + 1 if self._is_idle(status.coordinator) else 0
            return idle == _TIMES_IDLE

        if not wait_until(stays_idle, timeout=timeout, pause=0.15):
            raise HadebError(f"the cluster did not come to rest within {timeout:.0f} s")

    def _is_idle(self, coordinator: str) -> bool:
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
        """Wait until every node with power is a member of a cluster with quorum."""

        # A late fencing may cut a node's power meanwhile.
        def powered() -> set[str]:
            return {node.name for node in self.nodes if node.is_on}

        if not wait_until(lambda: self.status().online == powered(), timeout=timeout, pause=0.1):
            missing = powered() - self.status().online
            why = ", ".join(sorted(missing)) or "a dead node is still a member"
            raise HadebError(f"not a cluster after {timeout:.0f} s: {why}")

    def sources(self, address: str) -> tuple[str, ...]:
        """The addresses that clients ask an address from."""
        return self._network.sources(address)

    def watch(self, answer: AnswerTable) -> Watch:
        """A watch on a service's address and on each node's own, from outside the nodes."""
        self._watches += 1
        direct = self._network.direct(answer.address, self._addresses)
        targets = targets_of(answer, direct, self.sources(answer.address))
        return Watch(self.namespaces, targets, answer.expect, f"watch-{self._watches}")
