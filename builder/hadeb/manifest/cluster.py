# SPDX-License-Identifier: Apache-2.0
"""The manifest's [cluster]: how the bundle runs in a cluster, and what its answers look like. Pure.

hadeb makes the operator's pcs and crmsh commands from it, and the cluster in the lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from hadeb.manifest.constraints import AtLeastOne, Between
from hadeb.manifest.values import (
    AgentName,
    Duration,
    Expectation,
    FaultName,
    IpAddress,
    Line,
    OptionName,
    ResourceName,
    Score,
)

Role = Literal["Started", "Promoted", "Unpromoted"]
# Stands for the value that the lab writes, in an answer's write, read and read-expect.
VALUE = "{value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTable:
    """An operation of a resource, as Pacemaker runs it."""

    name: Literal["start", "stop", "monitor", "promote", "demote", "notify", "reload"]
    """The agent's action."""
    interval: Duration | None = None
    """How often a monitor runs, such as `10s`. Only a monitor has one, and it must have one."""
    timeout: Duration | None = None
    """How long the action may take. If not set, as long as the cluster's default, which is 20 s."""
    on_fail: Literal["ignore", "block", "stop", "restart", "standby", "fence", "demote"] | None = (
        None
    )
    """What Pacemaker does if the action fails."""
    role: Role | None = None
    """The role that a monitor of a promotable resource is for."""
    options: Mapping[OptionName, Line] = field(default_factory=dict)
    """Other options of the operation, such as `OCF_CHECK_LEVEL`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTable:
    """A resource of the cluster."""

    name: ResourceName
    """The name of the resource."""
    agent: AgentName
    """The agent: `ocf:PROVIDER:TYPE`, `systemd:UNIT` or another that Pacemaker has."""
    parameters: Mapping[OptionName, Line] = field(default_factory=dict)
    """The agent's parameters."""
    meta: Mapping[OptionName, Line] = field(default_factory=dict)
    """Meta attributes, such as `migration-threshold`."""
    operations: tuple[OperationTable, ...] = ()
    """Operations that differ from what the agent's meta-data advertises."""
    copies: Literal["one", "clone", "promotable"] = "one"
    """Whether it runs on one node, on every node, or on every node with one promoted."""
    clone_meta: Mapping[OptionName, Line] = field(default_factory=dict)
    """Meta attributes of the clone, such as `clone-max`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColocationTable:
    """A resource that runs on the node of another."""

    resource: ResourceName
    """The resource that follows."""
    with_: ResourceName
    """The resource that it follows."""
    score: Score = "INFINITY"
    """How strongly Pacemaker keeps them together; `-INFINITY` keeps them apart."""
    with_role: Role | None = None
    """The role that the other one must have on the node, if it is promotable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTable:
    """A resource that starts only after another."""

    first: ResourceName
    """The resource that comes first."""
    then: ResourceName
    """The resource that waits for it."""
    first_action: Literal["start", "promote", "stop", "demote"] = "start"
    """The action that the first must have completed."""
    then_action: Literal["start", "promote", "stop", "demote"] = "start"
    """The action of the second that waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTable:
    """How clients ask the service, and what a correct answer looks like."""

    kind: Literal["tcp", "http", "command"] = "tcp"
    """A TCP exchange, an HTTP request, or a command that runs outside the nodes."""
    address: IpAddress
    """The address that clients ask: the virtual address, or the node's own if there is none."""
    port: Annotated[int, Between(1, 65535)] | None = None
    """The TCP port, for kinds tcp and http."""
    send: str = ""
    """What a client of kind tcp sends after it connects. If not set, nothing."""
    path: Line = "/"
    """The path that a client of kind http requests."""
    command: Line | None = None
    """The command of kind command. hadeb puts the address in place of `{address}`."""
    expect: Expectation = ""
    """A regular expression that a correct answer contains. Its group `node` is the node that
    answers. If not set, any answer is correct, and the cluster tells which node answers."""
    write: str = ""
    """What stores a value before each fault, with `{value}` in place of the value, so that the lab
    can tell whether a fault lost it. Kind tcp sends this text. Kind http sends this request: the
    first line is the method and the path, headers follow and, after an empty line, the body. Kind
    command runs this command."""
    write_expect: Expectation = ""
    """A regular expression that the acknowledgment of a write contains. Kind tcp needs it; without
    it, a status of 2xx acknowledges a write of kind http, and exit code 0 one of kind command."""
    read: str = ""
    """What asks for the stored value, in the form of `write`; `{value}` is not needed here."""
    read_expect: Expectation = "{value}"
    """A regular expression that the answer to a read contains, with `{value}` for the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTable:
    """How the bundle runs in a cluster: `hadeb plan --pcs` prints it, and the lab tests it."""

    resource: Annotated[tuple[ResourceTable, ...], AtLeastOne()]
    """The resources, in the order in which hadeb creates them."""
    colocation: tuple[ColocationTable, ...] = ()
    """Resources that run on the node of another."""
    order: tuple[OrderTable, ...] = ()
    """Resources that start after another."""
    properties: Mapping[OptionName, Line] = field(default_factory=dict)
    """Properties of the cluster, such as `no-quorum-policy`."""
    totem: Mapping[OptionName, Annotated[int, Between(0, 600000)]] = field(default_factory=dict)
    """Settings of corosync's totem, such as `token = 1000`: corosync takes a node for lost after
    that many milliseconds of silence."""
    service: ResourceName | None = None
    """The resource that answers clients. If not set, the first with an agent of the bundle."""
    answer: AnswerTable | None = None
    """How clients ask. If not set, only the cluster tells whether the service runs."""
    max_outage: Mapping[FaultName, Annotated[int, Between(1, 3600000)]] = field(
        default_factory=dict
    )
    """The longest outage allowed, in milliseconds, by the name of the fault:
    `daemon-killed = 500`."""
