# SPDX-License-Identifier: Apache-2.0
"""The bundle that the how-to tells you to copy installs, and its agent passes Debian's tester."""

from __future__ import annotations

from pathlib import Path

from hadeb.lab.node.node import Node
from support.command import run_hadeb
from support.pages import bundles


def test_the_agent_of_the_how_to_passes_ocf_tester(machine: Node, tmp_path: Path) -> None:
    (files,) = [files for _, files in bundles() if "agents/clockd" in files]
    for path, body in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(body, encoding="utf-8")
    built = run_hadeb("build", directory=tmp_path).stdout.strip()
    machine.push(tmp_path / built, "/root/clockd.deb")
    machine.exec("dpkg", "--install", "/root/clockd.deb")
    try:
        agent = "/usr/lib/ocf/resource.d/example/clockd"
        done = machine.exec("ocf-tester", "-n", "clockd", agent)
        assert f"{agent} passed all tests" in done.stdout
    finally:
        machine.exec("dpkg", "--purge", "clockd")
        machine.exec("rm", "/root/clockd.deb")
