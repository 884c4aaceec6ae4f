# SPDX-License-Identifier: Apache-2.0
"""The manifest's [cluster]: how the bundle is meant to run, and what an answer of it looks like.

From it come the commands that an operator types, and the cluster that the lab proves them on.
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
    IpAddress,
    Line,
    OptionName,
    ResourceName,
    Score,
)

Role = Literal["Started", "Promoted", "Unpromoted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTable:
    """An operation of a resource, as Pacemaker runs it."""

    name: Literal["start", "stop", "monitor", "promote", "demote", "notify", "reload"]
    """The agent's action."""
    interval: Duration | None = None
    """How often, as `10s`; a monitor has one, and nothing else has."""
    timeout: Duration | None = None
    """How long the action may take; what the agent advertises without it."""
    on_fail: Literal["ignore", "block", "stop", "restart", "standby", "fence", "demote"] | None = (
        None
    )
    """What Pacemaker does where the action fails."""
    role: Role | None = None
    """The role that a monitor is for, where the resource is promotable."""
    options: Mapping[OptionName, Line] = field(default_factory=dict)
    """Other options of the operation, such as `OCF_CHECK_LEVEL`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTable:
    """A resource of the cluster."""

    name: ResourceName
    """What the resource is called."""
    agent: AgentName
    """The agent: `ocf:PROVIDER:TYPE`, `systemd:UNIT` or another that Pacemaker knows."""
    parameters: Mapping[OptionName, Line] = field(default_factory=dict)
    """The agent's parameters."""
    meta: Mapping[OptionName, Line] = field(default_factory=dict)
    """Meta attributes, such as `migration-threshold`."""
    operations: tuple[OperationTable, ...] = ()
    """Operations that differ from what the agent advertises."""
    copies: Literal["one", "clone", "promotable"] = "one"
    """Whether it runs on one node, on every node, or on every node with one of them promoted."""
    clone_meta: Mapping[OptionName, Line] = field(default_factory=dict)
    """Meta attributes of the clone, such as `clone-max`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColocationTable:
    """A resource that runs where another does."""

    resource: ResourceName
    """The resource that follows."""
    with_: ResourceName
    """The resource that it follows."""
    score: Score = "INFINITY"
    """How much it matters."""
    with_role: Role | None = None
    """The role of the other that matters, where it is promotable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTable:
    """A resource that starts only after another."""

    first: ResourceName
    """The resource that comes first."""
    then: ResourceName
    """The resource that waits for it."""
    first_action: Literal["start", "promote", "stop", "demote"] = "start"
    """What the first has to have done."""
    then_action: Literal["start", "promote", "stop", "demote"] = "start"
    """What the second then may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTable:
    """How a client asks the service, and what an answer looks like."""

    kind: Literal["tcp", "http", "command"] = "tcp"
    """A TCP exchange, an HTTP request, or a command that is run beside the nodes."""
    address: IpAddress
    """Where clients ask: the virtual address, or the node's own where there is none."""
    port: Annotated[int, Between(1, 65535)] | None = None
    """The TCP port, for kinds tcp and http."""
    send: str = ""
    """What a client of kind tcp sends once it is connected; nothing without it."""
    path: Line = "/"
    """What a client of kind http asks for."""
    command: Line | None = None
    """The command of kind command; `{address}` in it is the address that is asked."""
    expect: Expectation = ""
    """A regular expression that a right answer holds; its group `node` is who answers. Without
    it any answer is right, and who answers is found out from the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTable:
    """How the bundle is meant to run: what `hadeb plan --pcs` prints, and what the lab proves."""

    resource: Annotated[tuple[ResourceTable, ...], AtLeastOne()]
    """The resources, in the order in which they are made."""
    colocation: tuple[ColocationTable, ...] = ()
    """What runs where something else does."""
    order: tuple[OrderTable, ...] = ()
    """What starts after something else."""
    properties: Mapping[OptionName, Line] = field(default_factory=dict)
    """Properties of the cluster, such as `no-quorum-policy`."""
    totem: Mapping[OptionName, Annotated[int, Between(0, 600000)]] = field(default_factory=dict)
    """Settings of corosync's totem beyond its defaults, such as `token = 1000`: after so many
    milliseconds of silence a node is taken for lost."""
    service: ResourceName | None = None
    """The resource that gives the answers; without it the first one of the bundle's agents."""
    answer: AnswerTable | None = None
    """How clients ask; without it only the cluster says whether the service runs."""
    max_outage: Mapping[OptionName, Annotated[int, Between(1, 3600000)]] = field(
        default_factory=dict
    )
    """The longest time without an answer that is allowed, in milliseconds, by the name of the
    fault: `daemon-killed = 500`."""
