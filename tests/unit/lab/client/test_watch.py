# SPDX-License-Identifier: Apache-2.0
"""Whom the lab's client asks, and how often."""

from __future__ import annotations

from hadeb.lab.client.answers import SERVICE
from hadeb.lab.client.watch import targets_of
from hadeb.manifest.cluster import AnswerTable


def test_a_nodes_own_address_is_asked_more_rarely_and_by_its_name() -> None:
    table = AnswerTable(address="10.0.0.9", port=80)
    targets = targets_of(table, {"ha1": "10.0.0.1"}, ["10.0.0.253", "10.0.0.254"])
    assert [target.name for target in targets] == [SERVICE, SERVICE, "ha1"]
    assert [target.every for target in targets] == [0.02, 0.02, 0.05]
    commands = targets_of(
        AnswerTable(kind="command", address="10.0.0.9", command="ask {address}"),
        {"ha1": "10.0.0.1"},
        ["10.0.0.253"],
    )
    assert [process.command for process in commands] == ["ask 10.0.0.9", "ask 10.0.0.1"]
