# SPDX-License-Identifier: Apache-2.0
"""The lab's power switch: cuts a node's power for the fence agents, and confirms that it is dead.

Runs by itself (`python3 -I power.py SOCKET CGROUP`) beside the nodes, and ends with the lab. A
client sends a line and gets one: "off NODE" cuts and answers "off", "status NODE" answers "on" or
"off"; everything else gets "failed: WHY". Only the lab itself can turn a node on.
"""

from __future__ import annotations

import re
import socketserver
import sys
import time
from pathlib import Path

_PATIENCE = 10.0
_REQUEST = re.compile(r"(off|status) ([a-z][a-z0-9-]*)")


def cgroups_of(group: Path, node: str) -> list[Path]:
    """The control groups of a node, one for each boot; those of past boots are empty."""
    return [path for path in group.glob(f"{node}-*") if path.name[len(node) + 1 :].isdigit()]


def is_on(group: Path, node: str) -> bool:
    """Whether any process of the node is alive."""
    for path in cgroups_of(group, node):
        try:
            if "populated 1" in (path / "cgroup.events").read_text():
                return True
        except FileNotFoundError:
            continue
    return False


def cut(group: Path, node: str) -> None:
    """Kill every process of a node, even a frozen one (cgroup.kill), and wait for their end."""
    deadline = time.monotonic() + _PATIENCE
    groups = cgroups_of(group, node)
    if not groups:
        # A wrong name must not pass for a dead node.
        raise FileNotFoundError(f"there is no node {node}")
    for path in groups:
        (path / "cgroup.kill").write_text("1")
    while is_on(group, node):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{node} is still alive after {_PATIENCE:.0f} s")
        time.sleep(0.005)


def answer(group: Path, line: str) -> str:
    """The answer to a request."""
    request = _REQUEST.fullmatch(line.strip())
    if not request:
        return f"failed: {line.strip()!r} is no request"
    verb, node = request.groups()
    try:
        if verb == "off":
            cut(group, node)
        return "on" if is_on(group, node) else "off"
    except OSError as error:
        return f"failed: {error}"


class Switch(socketserver.StreamRequestHandler):
    """The connection of one client."""

    def handle(self) -> None:
        """Answer its only line."""
        line = self.rfile.readline(200).decode("utf-8", "replace")
        self.wfile.write(f"{answer(GROUP, line)}\n".encode())


if __name__ == "__main__":
    GROUP = Path(sys.argv[2])
    Path(sys.argv[1]).unlink(missing_ok=True)
    socketserver.ThreadingUnixStreamServer.daemon_threads = True
    with socketserver.ThreadingUnixStreamServer(sys.argv[1], Switch) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()
