# SPDX-License-Identifier: Apache-2.0
"""The units as systemd sees them."""

from __future__ import annotations

import pytest

from hadeb.lab.node.node import Node

UNIT = "sample-tcp-server@TCP-SERVER.service"
HOOK = "sample-tcp-server-lost@TCP-SERVER.service"


def show(node: Node, unit: str, name: str) -> list[str]:
    done = node.exec("systemctl", "show", "--value", f"--property={name}", unit)
    return sorted(done.stdout.split())


@pytest.mark.parametrize("unit", [UNIT, HOOK])
def test_systemd_finds_no_fault_in_a_unit(node: Node, unit: str) -> None:
    done = node.exec("systemd-analyze", "verify", "--man=no", unit)
    assert (done.stdout, done.stderr) == ("", "")


def test_systemd_rates_the_daemons_unit_as_confined(node: Node) -> None:
    node.exec("systemd-analyze", "security", "--offline=yes", "--threshold=15", UNIT)
    done = node.exec(
        "systemd-analyze", "security", "--offline=yes", "--threshold=15", HOOK, check=False
    )
    assert done.returncode != 0, "the threshold is not looked at"


@pytest.mark.parametrize("unit", ["sample-tcp-server@.service", "sample-tcp-server-lost@.service"])
def test_no_unit_can_be_enabled(node: Node, unit: str) -> None:
    done = node.exec("systemctl", "is-enabled", unit, check=False)
    assert done.stdout.strip() == "static"


def test_systemd_neither_restarts_nor_limits_starts(node: Node) -> None:
    assert show(node, UNIT, "Restart") == ["no"]
    assert show(node, UNIT, "StartLimitIntervalUSec") == ["0"]


def test_systemd_stops_the_daemon_after_pacemaker(node: Node) -> None:
    assert {"pacemaker.service", "pacemaker_remote.service"} <= set(show(node, UNIT, "Before"))


def test_every_end_of_the_daemon_starts_the_hook(node: Node) -> None:
    assert show(node, UNIT, "OnFailure") == [HOOK]
    assert show(node, UNIT, "OnSuccess") == [HOOK]


def test_the_hook_has_no_power_beyond_hacluster(node: Node) -> None:
    assert show(node, HOOK, "User") == ["hacluster"]
    assert show(node, HOOK, "CapabilityBoundingSet") == []
