# SPDX-License-Identifier: Apache-2.0
"""Calls an agent on a node, as Pacemaker's executor does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hadeb.lab.node.node import Node
from hadeb.run import Completed

PROVIDER = "/usr/lib/ocf/resource.d/kamaboko"
AGENTS = ("sample-resource", "sample-tcp-server")
DAEMON = "/usr/bin/sample-tcp-server"
RUN = "/run/sample-tcp-server"

SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7


@dataclass(frozen=True)
class Resource:
    """A resource of an agent on a node; parameters are its `OCF_RESKEY_` variables."""

    node: Node
    agent: str = "sample-tcp-server"
    name: str = "R"
    parameters: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, action: str, *extra: str, interval: int = 10, limit: int = 20, **environment: str
    ) -> Completed:
        """Run an action with a time limit in seconds, which counts as a failure when it is over."""
        variables = {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "0",
            "OCF_RESOURCE_INSTANCE": self.name,
            "OCF_RESKEY_CRM_meta_interval": str(interval * 1000),
            "OCF_RESKEY_CRM_meta_timeout": str(limit * 1000),
            "OCF_RESKEY_CRM_meta_on_node": "the-node",
            **{f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()},
            **environment,
        }
        pairs = (f"{name}={value}" for name, value in variables.items())
        program = f"{PROVIDER}/{self.agent}"
        return self.node.exec("env", *pairs, program, action, *extra, timeout=limit, check=False)

    @property
    def unit(self) -> str:
        return f"sample-tcp-server@{self.name}.service"

    def show(self, name: str) -> str:
        """A property of the resource's unit."""
        return self.node.exec(
            "systemctl", "show", f"--property={name}", "--value", self.unit
        ).stdout.strip()

    def traces(self) -> list[str]:
        """What is left in /run of the resource, and its unit if it is not inactive."""
        listing = self.node.sh(f"ls {RUN} 2>/dev/null || true").stdout.split()
        left = [name for name in listing if name.startswith(f"{self.name}.")]
        state = self.show("ActiveState")
        return left if state == "inactive" else [*left, f"unit {state}"]


def reason(done: Completed) -> str:
    """The exit reason the agent gave Pacemaker; fails if there is none."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("ocf-exit-reason:")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("ocf-exit-reason:")


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.05)


def greeting(node: Node, host: str = "127.0.0.1", port: int = 5678) -> str:
    """The daemon's whole answer to a client on the node; empty if nothing listens."""
    client = (
        "import socket,sys\n"
        "try: c = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)\n"
        "except OSError: sys.exit()\n"
        "sys.stdout.buffer.write(c.makefile('rb').read())"
    )
    return node.exec("python3", "-c", client, host, str(port)).stdout
