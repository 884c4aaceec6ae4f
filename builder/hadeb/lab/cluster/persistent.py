# SPDX-License-Identifier: Apache-2.0
"""Labs that stay up: a later call of hadeb finds them, runs commands in them, and ends them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from hadeb.context import Context
from hadeb.errors import UsageError
from hadeb.lab.host.namespaces import RECORD, Namespaces
from hadeb.lab.host.registry import persistent, require_host, sweep
from hadeb.lab.node.node import Address, Node


@dataclass(frozen=True, slots=True)
class Origin:
    """Who brought a lab up, and in which directory. Under sudo it is who called sudo."""

    uid: int
    user: str
    directory: str

    @classmethod
    def of(cls, context: Context) -> Self:
        """The origin of a lab that is brought up now."""
        return cls(context.uid, context.who.rpartition("@")[0], str(context.directory))

    def is_same(self, other: Self) -> bool:
        """Whether it is the same user in the same directory."""
        return (self.uid, self.directory) == (other.uid, other.directory)

    def __str__(self) -> str:
        return f"{self.user}, {self.directory}"


_UNKNOWN = Origin(-1, "unknown", "unknown")


@dataclass(frozen=True)
class Lab:
    """A cluster that stays up when hadeb ends."""

    namespaces: Namespaces
    suite: str
    nodes: tuple[Node, ...]
    origin: Origin = _UNKNOWN

    @classmethod
    def attach(cls, id: str) -> Self:
        """The lab of this name. Raises UsageError."""
        require_host()
        namespaces = Namespaces.attach(id)
        record = json.loads((namespaces.state / RECORD).read_text(encoding="utf-8"))
        nodes = []
        for name, address in record["nodes"].items():
            ip, _, prefix = address.partition("/")
            nodes.append(Node.attach(namespaces, name, (Address(ip, int(prefix)),)))
        # A lab of an earlier hadeb has no record of its origin.
        origin = Origin(**record["origin"]) if "origin" in record else _UNKNOWN
        return cls(namespaces, record["suite"], tuple(nodes), origin)

    def __getitem__(self, name: str) -> Node:
        """The node of a name."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise UsageError(f"there is no node {name}", hint=f"there are {names}")

    def down(self) -> None:
        """End it, and remove everything it left on the machine."""
        self.namespaces.close()


def labs() -> list[Lab]:
    """All persistent labs, oldest first. Removes what killed labs left."""
    require_host()
    sweep()
    return [Lab.attach(name) for name in persistent()]
