# SPDX-License-Identifier: Apache-2.0
"""From one version of the package to another, in the careful order of docs/how-to/upgrade.md.

Each idle node goes on standby, gets the version, and comes back. Then the service moves to one of
them, and the node that served gets the version last.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from hadeb.errors import HadebError
from hadeb.lab.client.answers import to_service
from hadeb.lab.node.node import Node
from hadeb.lab.scenario.previous import Parameters, Version, agent_parameters
from hadeb.lab.scenario.scenario import crash_loop
from hadeb.lab.scenario.stage import Stage

# Seconds for the cluster to move the service, where a start may use up its timeout on each node,
# and for a client to get an answer once it has.
_MOVE, _ANSWER = 180.0, 20.0
# Lines that dpkg prints at every installation, and when it goes down as it was told to.
_ROUTINE = ("(Reading database", "Preparing to unpack", "Unpacking ", "Setting up ", "Selecting ")
_DOWN = "warning: downgrading "
# As `pcs cluster setup` and `crm cluster init` set it: what has moved does not move back.
_STICKINESS = "resource defaults update resource-stickiness"
_CIB = "/root/lab-cib.xml"
_SHOW = "${Version} ${db:Status-Status}"
_CONFFILES = r"""
dpkg-query --show --showformat='${Conffiles}\n' "$1" | while read -r path _; do
    for left in "$path.dpkg-new" "$path.dpkg-dist" "$path.dpkg-old"; do
        [ ! -e "$left" ] || echo "$left"
    done
done
"""


def no_previous(stage: Stage) -> str:
    """Why the fault needs an earlier version: there is none."""
    return "" if stage.scenario.previous else "--from names no earlier version"


def upgrade(stage: Stage) -> None:
    """Go up from the earlier version to the bundle's own."""
    assert stage.scenario.previous
    _Rollout(stage, stage.scenario.previous, stage.scenario.current).run()


def downgrade(stage: Stage) -> None:
    """Go down from the bundle's own version to the earlier one."""
    assert stage.scenario.previous
    _Rollout(stage, stage.scenario.current, stage.scenario.previous).run()


def end(stage: Stage) -> None:
    """Take away what kept the service where it was."""
    stage.cluster.pcs(f"{_STICKINESS}=")


class _Stopped(HadebError):
    """Why the rollout went no further."""


class _Rollout:
    """One way, node by node. `renewed` are the nodes that have the new version."""

    def __init__(self, stage: Stage, old: Version, new: Version) -> None:
        self.stage, self.cluster, self.last = stage, stage.cluster, stage.victim
        self.old, self.new = old, new
        self.renewed: list[Node] = []
        # Each node's daemons from before its installation, by PID and start time.
        self.daemons: dict[str, set[str]] = {}
        # By resource, the parameters of [cluster] that the old version's agents do not have.
        self.to_set: dict[str, dict[str, str]] = {}

    def run(self) -> None:
        """Take every node to the new version, or stop at the first that fails, and go back."""
        idle = [node for node in self.cluster.nodes if node is not self.last]
        for node in self.cluster.nodes:
            node.push(self.new.deb, self._path(self.new))
            node.push(self.old.deb, self._path(self.old))
        self.cluster.pcs(f"{_STICKINESS}=1")
        try:
            parameters = agent_parameters(idle[0], self.stage.scenario.table)
            for node in (*idle, self.last):
                self._renew(node)
                if node is idle[0]:
                    self._compare(parameters, node)
            self.stage.shortfalls += self._left_behind()
        except HadebError as error:
            self.stage.shortfalls.append(error.message)
            self.stage.shortfalls.append(self._go_back())

    def _renew(self, node: Node) -> None:
        """Install the new version on a node while that runs no resources."""
        self.daemons[node.name] = self._daemons(node)
        begun = time.monotonic()
        self._stand_by(node)
        self._settle()
        if node is self.last:
            self._expect_service(begun)
        self._install(node)
        self._end_standby([node.name])
        self._settle()
        self._expect_no_failure()

    def _stand_by(self, node: Node) -> None:
        """Put a node on standby; with the last one, set the parameters that are new, in one step.

        The old agents would restart the service for a parameter that they do not know.
        """
        self.stage.step(node.name, f"standby of {node.name}")
        if node is not self.last or not self.to_set:
            self.cluster.pcs(f"node standby {node.name}")
            return
        checker = self.renewed[0]
        checker.exec("pcs", "cluster", "cib", _CIB)
        checker.exec("pcs", "-f", _CIB, "node", "standby", node.name)
        for resource, values in self.to_set.items():
            words = [f"{name}={value}" for name, value in values.items()]
            checker.exec("pcs", "-f", _CIB, "resource", "update", resource, *words)
            self.stage.step(checker.name, f"{resource} gets {' '.join(words)}")
        checker.exec("pcs", "cluster", "cib-push", _CIB, "--config")

    def _expect_service(self, begun: float) -> None:
        """Check that the service has come to a node with the new version, and answers."""
        where, version = self.stage.believed(), self.new.version
        if not where:
            nodes = " and ".join(node.name for node in self.renewed)
            raise _Stopped(f"{version} starts on none of the nodes that have it: {nodes}")
        self._expect_no_failure()
        if not self._answered(begun):
            raise _Stopped(
                f"{version} started on {where}, and answers no client within {_ANSWER:.0f} s"
            )
        self.stage.step(where, f"{version} serves on {where}")

    def _expect_no_failure(self) -> None:
        nodes = sorted({failure.node for failure in self.cluster.status().failures})
        if nodes:
            raise _Stopped(f"{self.new.version} failed on {' and '.join(nodes)}")

    def _settle(self) -> None:
        self.cluster.settle(timeout=_MOVE, give_up=crash_loop)

    def _answered(self, since: float) -> bool:
        with suppress(HadebError):
            self.stage.watch.until(
                lambda answers: any(
                    answer.who and answer.asked > since for answer in to_service(answers)[-20:]
                ),
                timeout=_ANSWER,
                what="no answer",
            )
            return True
        return False

    def _install(self, node: Node, version: Version | None = None) -> None:
        wanted = version or self.new
        done = node.exec("dpkg", "--install", self._path(wanted), check=False, timeout=120)
        output = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        remarkable = [
            line for line in output if not line.startswith(_ROUTINE) and _DOWN not in line
        ]
        state = self._installed(node)
        if not version and state != f"{self.old.version} installed":
            self.renewed.append(node)
        if done.returncode != 0:
            raise _Stopped(
                f"dpkg did not install {wanted.version} on {node.name}, which has {state}: "
                f"{' / '.join(remarkable)}"
            )
        self.stage.step(
            node.name, f"{wanted.version} installed{_dpkg(remarkable)}{self._conffiles(node)}"
        )

    def _conffiles(self, node: Node) -> str:
        name = self.stage.scenario.name
        left = node.exec("sh", "-c", _CONFFILES, "conffiles", name, check=False).stdout.split()
        return f"; beside conffiles: {', '.join(left)}" if left else ""

    def _installed(self, node: Node) -> str:
        """The version that dpkg has on a node, and its state."""
        argv = ("dpkg-query", "--show", f"--showformat={_SHOW}", self.stage.scenario.name)
        return node.exec(*argv, check=False).stdout.strip()

    def _left_behind(self) -> Iterator[str]:
        """What is not of the new version now that the rollout is over."""
        for node in self.cluster.nodes:
            state = self._installed(node)
            if state != f"{self.new.version} installed":
                yield f"{node.name} has {state}, not {self.new.version} installed"
            if self._daemons(node) & self.daemons[node.name]:
                yield (
                    f"the daemon on {node.name} is the process from before the installation: "
                    f"it still runs {self.old.version}"
                )

    def _daemons(self, node: Node) -> set[str]:
        """The processes that listen at the service's port on a node: PID and start time."""
        there = dataclasses.replace(self.stage, victim=node)
        return {
            f"{pid} {stat.rpartition(')')[2].split()[19]}"
            for pid in there.daemon()
            if (stat := node.exec("cat", f"/proc/{pid}/stat", check=False).stdout)
        }

    def _go_back(self) -> str:
        """Bring the service back on the node that still has the old version; what came of it.

        The nodes with the new version leave it no other choice while they are on standby. They get
        the old version back meanwhile.
        """
        begun = time.monotonic()
        # A node that was fenced meanwhile can take nothing over.
        back = self.renewed if self.last not in self.renewed and self.last.is_on else []
        self._end_standby(self.cluster.status().standbys)
        for node in back:
            self._stand_by(node)
        self.cluster.settle(timeout=_MOVE)
        answered, serving = self._answered(begun), self.stage.believed()
        for node in back:
            self._install(node, self.old)
        self._end_standby([node.name for node in back])
        self.cluster.any.exec("crm_resource", "--cleanup", check=False)
        self.cluster.settle(timeout=_MOVE)
        if not answered or not serving:
            return f"the service did not come back within {_ANSWER:.0f} s, with either version"
        version = self._installed(self.cluster[serving]).split()[0]
        return f"the service answers from {serving}, with {version}"

    def _end_standby(self, names: Sequence[str]) -> None:
        for name in names:
            self.stage.step(name, f"unstandby of {name}")
            self.cluster.pcs(f"node unstandby {name}")

    def _compare(self, before: Mapping[str, Parameters], node: Node) -> None:
        """Note how the agents' parameters differ; one that is set and gone falls short."""
        after = agent_parameters(node, self.stage.scenario.table)
        going_up = self.new == self.stage.scenario.current
        for agent, old in before.items():
            if agent not in after:
                self.stage.shortfalls.append(f"{self.new.version} has no agent {agent}")
                continue
            for text in differences(old, after[agent]):
                self.stage.step(node.name, f"{agent}: {text}")
        for table in self.stage.scenario.table.resource:
            old, new = before.get(table.agent, {}), after.get(table.agent, {})
            values = {key: table.parameters[key] for key in table.parameters if key in new}
            if going_up and (missing := {k: v for k, v in values.items() if k not in old}):
                self.to_set[table.name] = missing
            gone = sorted(table.parameters.keys() & old.keys() - new.keys())
            if going_up and new and gone:
                self.stage.shortfalls.append(
                    f"{table.agent} of {self.new.version} has no parameter {', '.join(gone)}, "
                    f"which {table.name} sets: the agent ignores it, and pcs refuses it"
                )

    def _path(self, version: Version) -> str:
        return f"/root/{version.deb.name}"


def _dpkg(lines: list[str]) -> str:
    return f"; dpkg: {' / '.join(lines)}" if lines else ""


def differences(old: Parameters, new: Parameters) -> Iterator[str]:
    """How an agent's parameters differ between two versions, a text each."""
    for name in sorted(old.keys() - new.keys()):
        yield f"parameter {name} is gone"
    for name in sorted(new.keys() - old.keys()):
        yield f"parameter {name} is new"
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield f"parameter {name} had the default {old[name]!r}, and has {new[name]!r}"
