# SPDX-License-Identifier: Apache-2.0
"""Parameters that differ between an earlier version's agents and the bundle's."""

from __future__ import annotations

from hadeb.lab.fault.rollout import differences
from hadeb.lab.scenario.previous import known_to
from hadeb.manifest.cluster import ClusterTable, ResourceTable

AGENT = "ocf:example:greeter"


def table(agent: str, **parameters: str) -> ClusterTable:
    return ClusterTable(resource=(ResourceTable(name="G", agent=agent, parameters=parameters),))


def parameters(table: ClusterTable) -> dict[str, str]:
    return dict(table.resource[0].parameters)


def test_an_earlier_version_gets_only_the_parameters_that_its_agent_has() -> None:
    new = table(AGENT, port="80", greet="Hi!")
    assert parameters(known_to(new, {AGENT: {"port": ""}})) == {"port": "80"}
    assert parameters(known_to(new, {AGENT: {}})) == {}


def test_resources_of_other_agents_keep_what_they_have() -> None:
    for agent in ("ocf:heartbeat:IPaddr2", "systemd:nginx"):
        assert parameters(known_to(table(agent, ip="::1"), {AGENT: {}})) == {"ip": "::1"}


def test_parameters_that_differ_are_named() -> None:
    old = {"port": "80", "greet": "Hi!", "same": "1", "empty": ""}
    new = {"port": "81", "same": "1", "bind": "", "empty": ""}
    assert list(differences(old, new)) == [
        "parameter greet is gone",
        "parameter bind is new",
        "parameter port had the default '80', and has '81'",
    ]
    assert list(differences(old, old)) == []
