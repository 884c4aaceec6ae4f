# SPDX-License-Identifier: Apache-2.0
"""The operations that pcs makes of an agent's actions, which hadeb prints for crmsh.

tests/system/pacemaker compares what both tools make of them.
"""

from __future__ import annotations

import pytest

from hadeb.manifest.cluster import OperationTable, ResourceTable
from hadeb.pacemaker.advertised import all_operations, shown_operations
from hadeb.pacemaker.ocf import Action, MetaData

START, STOP = Action("start", timeout="30s"), Action("stop", timeout="40")


def operations(*actions: Action, agent: str = "ocf:x:y", **keys: object) -> list[str]:
    resource = ResourceTable(name="A", agent=agent, **keys)  # type: ignore[arg-type]
    made = all_operations(resource, MetaData("y", {}, actions) if actions else None)
    return [
        " ".join([each.name, *(f"{name}={value}" for name, value in each.options.items())])
        for each in made
    ]


def test_each_action_that_a_cluster_runs_becomes_an_operation() -> None:
    others = (Action("meta-data", "5s"), Action("validate-all", "5s"), Action("status", "5s"))
    monitor = Action("monitor", "20s", "10s", depth="0")
    assert operations(START, STOP, monitor, *others, Action("reload", "9s")) == [
        *("start timeout=30s", "stop timeout=40"),
        *("monitor interval=10s timeout=20s", "reload timeout=9s"),
    ]


def test_a_deep_monitor_keeps_its_level() -> None:
    deep = Action("monitor", "10s", "15s", depth="10", start_delay="5s")
    (made,) = operations(deep)
    assert made == "monitor interval=15s timeout=10s start-delay=5s OCF_CHECK_LEVEL=10"


def test_monitors_of_one_interval_are_set_apart_as_pcs_does() -> None:
    intervals = ("1min", "60s", "60", "10s", "odd")
    made = operations(*(Action("monitor", interval=each) for each in intervals))
    assert made == [f"monitor interval={each}" for each in ("1min", "61", "62", "10s", "odd")]


def test_old_names_of_roles_become_the_new_ones() -> None:
    made = operations(Action("monitor", interval="9s", role="Master"), Action("promote", "1min"))
    assert made == ["monitor interval=9s role=Promoted", "promote timeout=1min"]


def test_a_named_operation_replaces_all_of_its_name() -> None:
    named = (
        OperationTable(name="monitor", interval="7s"),
        OperationTable(name="stop", timeout="9s"),
    )
    actions = (START, STOP, Action("monitor", interval="5s"), Action("monitor", interval="6s"))
    made = operations(*actions, operations=named)
    assert made == ["monitor interval=7s", "stop timeout=9s", "start timeout=30s"]


def test_what_is_for_the_agent_comes_last() -> None:
    options = {"OCF_CHECK_LEVEL": "10", "enabled": "true"}
    named = (OperationTable(name="monitor", interval="7s", options=options),)
    assert operations(operations=named) == ["monitor interval=7s enabled=true OCF_CHECK_LEVEL=10"]


def test_an_agent_without_a_monitor_gets_that_of_pcs() -> None:
    assert operations(START) == ["start timeout=30s", "monitor interval=60s"]


@pytest.mark.parametrize(
    ("kind", "interval"), [("systemd", "60s"), ("service", "60s"), ("lsb", "15s")]
)
def test_a_unit_shows_the_interval_that_it_gets(kind: str, interval: str) -> None:
    timeout = "15s" if kind == "lsb" else "100s"
    monitor = f"monitor interval={interval} timeout={timeout}"
    assert operations(agent=f"{kind}:nginx")[-1] == monitor
    shown = shown_operations(ResourceTable(name="A", agent=f"{kind}:nginx"))
    assert [each.name for each in shown] == ["monitor"]
    assert not shown_operations(ResourceTable(name="A", agent="ocf:x:y"))
