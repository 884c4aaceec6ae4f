# SPDX-License-Identifier: Apache-2.0
"""What crm_mon of Debian 12 and 13 printed on real clusters, read as values.

The clusters had three nodes. `running`: all is well. `failed`: ha1 is on standby, and STUCK did not
stop on ha3. `lonely`: the other two nodes lost their power, and ha1 has no quorum. `down`:
Pacemaker is not running.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.pacemaker.status import FailCount, Instance, Member, Status, parse_status

SAMPLES = Path(__file__).with_name("samples")


@pytest.fixture(params=["bookworm", "trixie"])
def samples(request: pytest.FixtureRequest) -> Path:
    return SAMPLES / str(request.param)


def status(samples: Path, name: str) -> Status:
    return parse_status((samples / f"{name}.xml").read_text(encoding="utf-8"))


def test_a_healthy_cluster_has_a_coordinator_and_all_its_members(samples: Path) -> None:
    running = status(samples, "running")
    assert running.coordinator in {"ha1", "ha2"}
    assert running.has_quorum
    assert running.online == {"ha1", "ha2", "ha3"}
    assert running.members[0] == Member("ha1", online=True, pending=False, standby=False)
    assert (running.standbys, running.blocked, running.failures) == ([], [], ())


def test_a_resource_is_on_the_node_that_runs_it(samples: Path) -> None:
    running = status(samples, "running")
    assert running.location("WEB") == "ha2"
    assert running.location("no-such-resource") is None


def test_a_promotable_resource_is_where_it_is_promoted(samples: Path) -> None:
    running = status(samples, "running")
    promoted = [instance.nodes for instance in running.instances if instance.promoted]
    assert promoted == [(running.location("DATABASE"),)]
    assert {
        (instance.clone, instance.promotable) for instance in running.instances if instance.promoted
    } == {("DATABASE-clone", True)}


def test_a_clone_without_roles_is_on_the_first_of_its_nodes(samples: Path) -> None:
    copies = [
        instance
        for instance in status(samples, "running").instances
        if instance.resource == "EVERYWHERE"
    ]
    assert {node for copy in copies for node in copy.nodes} == {"ha1", "ha2", "ha3"}
    assert status(samples, "running").location("EVERYWHERE") == copies[0].nodes[0]


def test_a_failed_stop_is_a_failure_a_count_and_a_blocked_resource(samples: Path) -> None:
    failed = status(samples, "failed")
    (failure,) = failed.failures
    assert (failure.key, failure.node) == ("STUCK_stop_0", "ha3")
    assert str(failure).lower().startswith("stuck_stop_0 on ha3: error")
    assert failed.blocked == ["STUCK"]
    assert FailCount("STUCK", "ha3", 1_000_000) in failed.fail_counts
    assert failed.fail_count("STUCK") == 1_000_000
    assert failed.fail_count("WEB") == 0


def test_a_node_on_standby_is_a_member(samples: Path) -> None:
    failed = status(samples, "failed")
    assert failed.standbys == ["ha1"]
    assert "ha1" in failed.online


def test_without_a_quorum_nobody_is_a_member(samples: Path) -> None:
    lonely = status(samples, "lonely")
    assert lonely.coordinator == "ha1"
    assert not lonely.has_quorum
    assert lonely.online == frozenset()


def test_a_node_without_pacemaker_has_an_empty_status(samples: Path) -> None:
    assert status(samples, "down") == Status()


@pytest.mark.parametrize(
    "text", ["", "crm_mon: Connection to cluster failed", "<pacemaker-result>"]
)
def test_what_is_no_xml_is_an_empty_status(text: str) -> None:
    assert parse_status(text) == Status()


def test_infinity_is_pacemakers_million() -> None:
    xml = (
        "<r><node_history><node name='ha1'><resource_history id='R' fail-count='INFINITY'/></node>"
        "<node name='ha2'><resource_history id='R' fail-count='2'/></node></node_history></r>"
    )
    assert parse_status(xml).fail_count("R") == 1_000_002


def test_a_resource_that_two_nodes_run_is_an_error() -> None:
    twice = Status(instances=(Instance("R", "Started", ("ha2", "ha1"), blocked=False),))
    with pytest.raises(HadebError, match="R runs on ha1 and ha2"):
        twice.location("R")


def test_a_promotable_clone_that_nobody_has_promoted_is_nowhere() -> None:
    copy = Instance("R", "Unpromoted", ("ha1",), blocked=False, clone="R-clone", promotable=True)
    assert Status(instances=(copy,)).location("R") is None


def test_the_old_name_of_the_promoted_role_is_understood() -> None:
    assert Instance("R", "Master", ("ha1",), blocked=False).promoted


def test_a_failure_with_a_reason_names_it() -> None:
    xml = (
        '<r><failures><failure op_key="R_start_0" node="ha1" exitstatus="error" '
        'exitreason="no configuration"/></failures></r>'
    )
    (failure,) = parse_status(xml).failures
    assert str(failure) == "R_start_0 on ha1: error (no configuration)"
