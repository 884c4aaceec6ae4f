# SPDX-License-Identifier: Apache-2.0
"""A node is a Debian machine: it boots, runs commands, loses power, and boots again."""

from __future__ import annotations

import pytest

from hadeb.errors import CommandFailed, HadebError
from hadeb.lab.node.node import Node


def test_a_node_boots_with_nothing_failed(machine: Node) -> None:
    assert machine.sh("systemctl is-system-running", check=False).stdout == "running\n"


def test_a_command_that_fails_names_its_node(machine: Node) -> None:
    with pytest.raises(CommandFailed) as error:
        machine.sh("echo out; echo sorry >&2; exit 3")
    assert error.value.returncode == 3
    assert "ha1" in error.value.message
    assert "sorry" in error.value.message


def test_a_command_that_times_out_is_killed(machine: Node) -> None:
    with pytest.raises(CommandFailed) as error:
        machine.exec("sleep", "98765", timeout=0.3)
    assert error.value.returncode is None
    assert machine.sh("pgrep -f '[s]leep 98765'", check=False).stdout == ""


def test_push_and_read_keep_a_file_byte_for_byte(machine: Node) -> None:
    content = bytes(range(256))
    machine.write("/root/deep/er/file", content, mode=0o640)
    assert machine.read("/root/deep/er/file") == content
    assert machine.exec("stat", "-c", "%a", "/root/deep/er/file").stdout == "640\n"


def test_the_hosts_environment_does_not_reach_a_node(
    machine: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "1")
    assert "SECRET" not in machine.exec("env").stdout


def test_a_power_cut_kills_at_once_and_keeps_the_disk(fresh_machine: Node) -> None:
    node = fresh_machine
    node.write("/root/kept", "yes")
    node.write("/run/lost", "yes")
    node.write(
        "/etc/systemd/system/farewell.service",
        "[Service]\nExecStart=sleep infinity\nExecStop=touch /root/stopped-in-order\n",
    )
    node.sh("systemctl daemon-reload && systemctl start farewell")
    node.cut_power()
    assert not node.is_on
    with pytest.raises(HadebError):
        node.exec("true")
    node.boot()
    assert node.read("/root/kept") == b"yes"
    assert node.sh("ls /run/lost /root/stopped-in-order", check=False).stdout == ""
    assert "farewell.service" in node.journal("--boot=-1")


def test_a_shutdown_stops_services_in_order(fresh_machine: Node) -> None:
    node = fresh_machine
    node.write(
        "/etc/systemd/system/farewell.service",
        "[Service]\nExecStart=sleep infinity\nExecStop=touch /root/stopped-in-order\n",
    )
    node.sh("systemctl daemon-reload && systemctl start farewell")
    node.shutdown()
    assert not node.is_on
    node.boot()
    assert node.sh("ls /root/stopped-in-order").stdout


def test_a_node_that_cannot_boot_says_why(fresh_machine: Node) -> None:
    node = fresh_machine
    node.cut_power()
    node.write_offline(
        "/sbin/init.broken", "#!/bin/sh\necho no such luck >&2\nexit 1\n", mode=0o755
    )
    node.offline("mv", "/sbin/init.broken", "/usr/lib/systemd/systemd")
    with pytest.raises(HadebError) as error:
        node.boot(timeout=10)
    assert "no such luck" in error.value.message
    assert not node.is_on
