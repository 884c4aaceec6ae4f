# SPDX-License-Identifier: Apache-2.0
"""The support matrix of the docs names the versions that the nodes have."""

from __future__ import annotations

import re
from pathlib import Path

from hadeb.debian.releases import SUITES, Suite
from hadeb.lab.node.node import Node

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/support.md"


def test_the_support_matrix_has_the_versions_of_the_nodes(machine: Node, suite: Suite) -> None:
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert {"pacemaker", "corosync", "pcs", "systemd"} <= {package for package, *_ in rows}
    for package, *versions in rows:
        shown = machine.exec("dpkg-query", "--show", "--showformat=${Version}", package)
        upstream = re.sub(r"^\d+:|-[^-]*$", "", shown.stdout.strip())
        version = versions[SUITES.index(suite)]
        assert re.match(rf"{re.escape(version)}(?![0-9])", upstream), (package, upstream)
