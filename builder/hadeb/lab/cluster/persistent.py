# SPDX-License-Identifier: Apache-2.0
"""Labs that stay: found again by another call of hadeb, looked into, and taken down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from hadeb.errors import UsageError
from hadeb.lab.host.namespaces import RECORD, Space
from hadeb.lab.host.registry import kept, require_host, sweep
from hadeb.lab.node.node import Address, Node


@dataclass(frozen=True)
class Lab:
    """A cluster that stays when hadeb ends."""

    space: Space
    suite: str
    nodes: tuple[Node, ...]

    @classmethod
    def attach(cls, id: str) -> Self:
        """The lab of this name; without one, the only one there is. Raises UsageError."""
        require_host()
        if not id:
            labs = kept()
            if len(labs) > 1:
                names = ", ".join(labs)
                raise UsageError(f"there are several labs: {names}", hint="name one with --lab")
            if not labs:
                raise UsageError("there is no lab", hint="start one with: hadeb lab up")
            return cls.attach(labs[0])
        space = Space.attach(id)
        told = json.loads((space.state / RECORD).read_text(encoding="utf-8"))
        nodes = []
        for name, address in told["nodes"].items():
            ip, _, prefix = address.partition("/")
            nodes.append(Node.attach(space, name, (Address(ip, int(prefix)),)))
        return cls(space, told["suite"], tuple(nodes))

    def __getitem__(self, name: str) -> Node:
        """The node of a name."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise UsageError(f"there is no node {name}", hint=f"there are {names}")

    def down(self) -> None:
        """End it; nothing of it stays on the machine."""
        self.space.close()


def labs() -> list[Lab]:
    """All labs that stay, oldest first; what killed ones left goes."""
    require_host()
    sweep()
    return [Lab.attach(name) for name in kept()]
