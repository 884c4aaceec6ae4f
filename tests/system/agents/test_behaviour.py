# SPDX-License-Identifier: Apache-2.0
"""What both agents do when Pacemaker calls them: rules 40-63."""

from __future__ import annotations

import pytest

from hadeb.lab.node.node import Node
from support.resource import (
    AGENTS,
    CONFIGURED,
    DAEMON,
    GENERIC,
    INSTALLED,
    NOT_RUNNING,
    PROVIDER,
    SUCCESS,
    UNIMPLEMENTED,
    Resource,
    reason,
)

Outcome = tuple[int, str, str]
SILENT: Outcome = (SUCCESS, "", "")


def outcome(resource: Resource, action: str, *, interval: int = 10, level: int = 0) -> Outcome:
    done = resource(action, interval=interval, OCF_CHECK_LEVEL=str(level))
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", AGENTS)
def test_ocf_tester_passes_each_agent(node: Node, name: str) -> None:
    done = node.exec("ocf-tester", "-n", "tested", f"{PROVIDER}/{name}", timeout=120)
    assert f"{PROVIDER}/{name} passed all tests" in done.stdout


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "migrate_to", "status", "", "x"])
def test_rule_40_an_unknown_action_is_unimplemented(resource: Resource, action: str) -> None:
    assert resource(action).returncode == UNIMPLEMENTED


def test_rule_41_extra_arguments_are_ignored(resource: Resource) -> None:
    assert resource("start", "stop", "x").returncode == SUCCESS
    assert resource("monitor", "stop").returncode == SUCCESS
    assert resource("stop", "start").returncode == SUCCESS


def test_rule_42_a_monitor_of_a_stopped_resource_reports_not_running(resource: Resource) -> None:
    done = resource("monitor")
    assert done.returncode == NOT_RUNNING
    assert reason(done)


def test_rule_43_44_57_a_probe_of_a_stopped_resource_prints_nothing(resource: Resource) -> None:
    assert outcome(resource, "monitor", interval=0) == (NOT_RUNNING, "", "")


def test_rule_45_47_57_each_action_succeeds_silently_when_repeated(resource: Resource) -> None:
    for action, running in (("start", SUCCESS), ("stop", NOT_RUNNING)):
        for _ in range(2):
            assert outcome(resource, action) == SILENT
            assert resource("monitor").returncode == running


def test_rule_45_a_deep_monitor_succeeds_as_soon_as_start_returns(resource: Resource) -> None:
    for _ in range(3):
        done = resource("start")
        assert (done.returncode, resource("monitor", OCF_CHECK_LEVEL="10").returncode) == (0, 0)
        resource("stop")


@pytest.mark.parametrize("action", ["monitor", "stop", "start"])
def test_rule_43_47_without_its_program_a_resource_is_stopped_and_cannot_start(
    resource: Resource, action: str, node: Node
) -> None:
    """The daemon and the units hidden, and systemd's own socket as well."""
    hide = f"mount --bind /dev/null {DAEMON}; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /mnt"
    environment = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=R"
    agent = f"{PROVIDER}/{resource.agent}"
    done = node.exec(
        *("unshare", "--mount", "sh", "-c", f"{hide}; exec env {environment} {agent} {action}"),
        check=False,
    )
    expected = {"monitor": NOT_RUNNING, "stop": SUCCESS, "start": INSTALLED}
    if resource.agent == "sample-resource":
        expected["start"] = SUCCESS  # needs nothing but a place for its file
    assert done.returncode == expected[action]
    if expected[action] == INSTALLED:
        assert DAEMON in reason(done)
    else:
        assert done.stderr == ""


@pytest.mark.parametrize("level", ["0", "5", "10", "15", "x", ""])
def test_rule_53_an_unsupported_check_level_falls_back(resource: Resource, level: str) -> None:
    resource("start")
    assert resource("monitor", OCF_CHECK_LEVEL=level).returncode == SUCCESS
    assert resource("monitor", OCF_RESKEY_OCF_CHECK_LEVEL=level).returncode == SUCCESS


def test_rule_54_validation_touches_nothing_local(resource: Resource, node: Node) -> None:
    """Without the daemon, /run and systemd, validation has nothing local to inspect."""
    hide = f"mount --bind /dev/null {DAEMON}; mount -t tmpfs tmpfs /run"
    environment = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=R"
    agent = f"{PROVIDER}/{resource.agent}"
    done = node.exec(
        "unshare", "--mount", "sh", "-c", f"{hide}; env {environment} {agent} validate-all; ls /run"
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_rule_57_validation_of_the_defaults_is_silent(resource: Resource) -> None:
    assert outcome(resource, "validate-all") == SILENT


def test_rule_58_60_an_error_has_a_reason_and_a_known_code(node: Node, agent: str) -> None:
    """Start cannot write to its directories."""
    places = "/run/sample-tcp-server /run/resource-agents"
    read_only = f"for d in {places}; do mkdir -p $d; mount -t tmpfs -o ro tmpfs $d; done"
    environment = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=R"
    script = f"{read_only}; exec env {environment} {PROVIDER}/{agent} start"
    done = node.exec("unshare", "--mount", "sh", "-c", script, check=False)
    assert done.returncode == GENERIC
    assert "cannot" in reason(done)


def test_rule_61_two_instances_do_not_collide(node: Node, agent: str) -> None:
    first, second = (
        Resource(node, agent, name, {"port": port}) for name, port in (("A", "7001"), ("B", "7002"))
    )
    try:
        assert (first("start").returncode, second("start").returncode) == (SUCCESS, SUCCESS)
        first("stop")
        assert first("monitor").returncode == NOT_RUNNING
        assert second("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
    finally:
        first("stop")
        second("stop")


@pytest.mark.parametrize(
    "name", ["X:0", "a.b_c-d", "Grüße", "a@b", "a b", "-a", "100%", "a\\b", "n" * 150]
)
def test_rule_61_a_resource_may_have_a_name_that_no_unit_can_have(
    node: Node, agent: str, name: str
) -> None:
    weird = Resource(node, agent, name, {"port": "7003"})
    other = Resource(node, agent, "other", {"port": "7004"})
    try:
        assert outcome(weird, "start") == SILENT
        assert weird("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
        assert other("monitor").returncode == NOT_RUNNING
        assert outcome(weird, "stop") == SILENT
        assert weird("monitor").returncode == NOT_RUNNING
    finally:
        weird("stop")


@pytest.mark.parametrize("length", [200, 230, 1000])
def test_rule_47_stop_succeeds_even_if_the_name_is_too_long_for_a_unit(
    node: Node, agent: str, length: int
) -> None:
    long = Resource(node, agent, "n" * length)
    assert long("monitor", interval=0).returncode == NOT_RUNNING
    if long("start").returncode != SUCCESS:
        assert long("start").returncode == GENERIC
    assert outcome(long, "stop") == SILENT


@pytest.mark.parametrize("limit", ["", "20s", "0", "-1", "x"])
def test_rule_62_a_nonsensical_time_limit_does_no_harm(resource: Resource, limit: str) -> None:
    for action in ("start", "monitor", "stop"):
        assert resource(action, OCF_RESKEY_CRM_meta_timeout=limit).returncode == SUCCESS, action


BAD = {
    "greet": ["two\nlines", "\n", "x\n", "x" * 65537],
    "port": ["", "0", "65536", "-1", "5678x", " 5678", "05678", "99999999999999999999", "\n5678"],
    "bind": [
        *(",", "127.0.0.1,", ",::1", "127.0.0.1,,::1", "*", "127.0.0.1 ::1", "a\nb", "$(id)"),
        *("abc", "localhost", "999.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1:2", "::1,abc"),
    ],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_rule_55_56_58_a_bad_parameter_is_refused_by_name(
    node: Node, name: str, value: str
) -> None:
    bad = Resource(node, parameters={name: value})
    for action in ("validate-all", "start"):
        done = bad(action)
        assert done.returncode == CONFIGURED
        assert name in reason(done)
    # Rule 48: whatever the parameters are, it can be stopped; and a probe has no opinion.
    assert outcome(bad, "stop") == SILENT
    assert bad("monitor", interval=0).returncode == NOT_RUNNING


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.1,::1", "0.0.0.0", "::", "0.0.0.0,::", ""])
def test_every_valid_address_is_bound(node: Node, bind: str) -> None:
    good = Resource(node, parameters={"bind": bind})
    try:
        assert outcome(good, "validate-all") == SILENT
        assert outcome(good, "start") == SILENT
        assert outcome(good, "monitor", level=10) == SILENT
    finally:
        good("stop")
