# SPDX-License-Identifier: Apache-2.0
"""A daemon and an agent not written for the lab run with nothing but a manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.machine import machine
from support.command import ROOT, call_hadeb

pytestmark = pytest.mark.usefixtures("as_root")

FAULTS = ("daemon-killed", "standby", "package-upgraded", "package-removed")


def test_nginx_under_the_agent_of_debian_comes_through(tmp_path: Path) -> None:
    argv = ("lab", "run", "-m", ROOT / "tests/bundles/nginx", "-o", tmp_path / "report", *FAULTS)
    done = call_hadeb(*argv, directory=tmp_path)
    assert done.code == 0, done.stdout + done.stderr
    # No agent goes with the package, so there is nothing that its removal could break.
    assert "left out: the package guards no service" in done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    served = {
        trial["fault"]: (trial["before"], trial["after"]) for trial in report["runs"][0]["trials"]
    }
    assert served.keys() == {"started", *FAULTS} - {"package-removed"}
    assert served["standby"][0] != served["standby"][1]


def test_a_service_that_debian_starts_at_boot_does_not_run_beside_the_clusters(
    suite: Suite,
) -> None:
    with machine(suite, packages=("curl", "nginx")) as node:
        asked = ("nginx.service", "systemd-networkd.service")
        states = node.exec("systemctl", "is-enabled", *asked, check=False).stdout.split()
        assert states == ["disabled", "enabled"]
        assert node.exec("systemctl", "is-active", "nginx", check=False).stdout == "inactive\n"
        assert node.sh("pidof nginx", check=False).returncode == 1
