# SPDX-License-Identifier: Apache-2.0
"""Runs on a node: the agent reloads several resources in parallel, greeting by greeting.

Reads JSON: for each resource its name, its port and its greetings in hex. Writes JSON: for each
resource and greeting the agent's exit code and standard error, what a client then got in hex,
and the settings file in hex.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AGENT = "/usr/lib/ocf/resource.d/kamaboko/sample-tcp-server"


def answer(port: int) -> bytes:
    """The daemon's whole answer."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        return client.makefile("rb").read()


def settings(resource: str) -> bytes:
    """The settings that the agent wrote."""
    with Path(f"/run/sample-tcp-server/{resource}.conf").open("rb") as file:
        return file.read()


def reload(resource: str, port: int, greeting: bytes) -> tuple[int, str, str, str]:
    """A greeting's path through the agent to the socket."""
    environment = {
        **os.environb,
        b"OCF_ROOT": b"/usr/lib/ocf",
        b"OCF_RESOURCE_INSTANCE": resource.encode(),
        b"OCF_RA_VERSION_MAJOR": b"1",
        b"OCF_RESKEY_CRM_meta_timeout": b"20000",
        b"OCF_RESKEY_bind": b"127.0.0.1",
        b"OCF_RESKEY_port": str(port).encode(),
        b"OCF_RESKEY_greet": greeting,
    }
    done = subprocess.run([AGENT, "reload"], env=environment, stderr=subprocess.PIPE, check=False)
    error = done.stderr.decode("utf-8", "backslashreplace")
    return done.returncode, error, answer(port).hex(), settings(resource).hex()


def reload_all(job: tuple[str, int, list[str]]) -> list[tuple[int, str, str, str]]:
    """One resource's greetings, one after the other."""
    resource, port, greetings = job
    return [reload(resource, port, bytes.fromhex(text)) for text in greetings]


with ThreadPoolExecutor() as pool:
    json.dump(list(pool.map(reload_all, json.load(sys.stdin))), sys.stdout)
