# SPDX-License-Identifier: Apache-2.0
"""A single node: Debian with a running systemd, and no cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hadeb.debian.releases import Suite
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node


@contextmanager
def machine(
    suite: Suite,
    *,
    name: str = "ha1",
    packages: Sequence[str] = (),
    info: Callable[[str], None] = lambda _: None,
) -> Iterator[Node]:
    """A booted node with all packages of a cluster installed but not started.

    `packages` are installed in addition. The node is gone when the block ends. `info` reports slow
    steps.
    """
    root = image(suite, packages, info=info)
    with Namespaces(["172.16.0.254/24", "fd00:ac10::fe/64"]) as namespaces:
        node = Node(
            namespaces, name, root, (Address("172.16.0.1", 24), Address("fd00:ac10::1", 64))
        )
        node.create()
        node.boot()
        yield node
