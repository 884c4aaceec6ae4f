# SPDX-License-Identifier: Apache-2.0
"""Labs that stay up: a later call of hadeb finds them, runs commands in them, and ends them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from hadeb.errors import UsageError
from hadeb.lab.host.namespaces import RECORD, Namespaces
from hadeb.lab.host.registry import persistent, require_host, sweep
from hadeb.lab.node.node import Address, Node


@dataclass(frozen=True)
class Lab:
    """A cluster that stays up when hadeb ends."""

    namespaces: Namespaces
    suite: str
    nodes: tuple[Node, ...]

    @classmethod
    def attach(cls, id: str) -> Self:
        """The lab of this name; without a name, the only lab there is. Raises UsageError."""
        require_host()
        if not id:
            labs = persistent()
            if len(labs) > 1:
                names = ", ".join(labs)
                raise UsageError(f"there are several labs: {names}", hint="name one with --lab")
            if not labs:
                raise UsageError("there is no lab", hint="start one with: hadeb lab up")
            return cls.attach(labs[0])
        namespaces = Namespaces.attach(id)
        record = json.loads((namespaces.state / RECORD).read_text(encoding="utf-8"))
        nodes = []
        for name, address in record["nodes"].items():
            ip, _, prefix = address.partition("/")
            nodes.append(Node.attach(namespaces, name, (Address(ip, int(prefix)),)))
        return cls(namespaces, record["suite"], tuple(nodes))

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
