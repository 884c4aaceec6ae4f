# SPDX-License-Identifier: Apache-2.0
"""How sample-tcp-server drives its unit: starting, stopping, watching, reloading."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hadeb.lab.node.node import Node
from support.resource import (
    DAEMON,
    GENERIC,
    NOT_RUNNING,
    RUN,
    SUCCESS,
    Resource,
    eventually,
    greeting,
    reason,
)

Make = Callable[..., Resource]
DEAF = (
    "import signal,time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "import socket,os\n"
    "n = os.environ['NOTIFY_SOCKET']\n"
    "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "s.sendto(b'READY=1', '\\0' + n[1:] if n[0] == '@' else n)\n"
    "time.sleep(600)\n"
)
# A daemon that says why, and ends.
OUT_OF_TEA = "ExecStart=\nExecStart=/bin/sh -c 'echo \"<3>out of tea\" >&2; exit 4'"


def main_pid(resource: Resource) -> str:
    return resource.show("MainPID")


def test_rule_45_start_returns_once_the_daemon_answers(node: Node, server: Make) -> None:
    resource = server(greet="Hi!")
    for _ in range(5):
        assert resource("start").returncode == SUCCESS
        assert greeting(node) == "Hi! This is ha1!\n"
        resource("stop")


def test_the_files_in_run_belong_to_root_and_follow_the_contract(node: Node, server: Make) -> None:
    resource = server(greet="Hi! ", port="5679", bind="127.0.0.1")
    node.exec("sh", "-c", f"rm -rf {RUN}")
    resource("start", OCF_RESKEY_CRM_meta_on_node="ha1.example")
    assert node.read(f"{RUN}/R.conf") == b"greet=Hi! \nport=5679\nbind=127.0.0.1\n"
    assert node.read(f"{RUN}/R.watched").decode() == f"R\nha1.example\n{main_pid(resource)}\n"
    modes = node.sh(f"stat --format='%a %U %n' {RUN} {RUN}/*").stdout
    assert modes == f"755 root {RUN}\n644 root {RUN}/R.conf\n644 root {RUN}/R.watched\n"


def test_the_umask_does_not_change_modes_in_run(node: Node, server: Make) -> None:
    resource = server()
    agent = "/usr/lib/ocf/resource.d/kamaboko/sample-tcp-server"
    environment = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=R"
    for mask in ("000", "077"):
        node.sh(f"rm -rf {RUN}; umask {mask}; env {environment} {agent} start")
        assert node.sh(f"stat --format=%a {RUN} {RUN}/R.conf").stdout.split() == ["755", "644"]
        resource("stop")


def test_rule_63_the_daemon_holds_no_descriptor_of_the_agent(node: Node, server: Make) -> None:
    resource = server()
    node.exec("mkfifo", "/run/pipe")
    agent = "/usr/lib/ocf/resource.d/kamaboko/sample-tcp-server"
    environment = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=R"
    node.sh(f"env {environment} {agent} start 7<>/run/pipe")
    assert (
        "pipe" not in node.sh(f"ls -l /proc/{main_pid(resource)}/fd | grep run/pipe || true").stdout
    )
    node.exec("rm", "/run/pipe")


def test_start_reports_a_port_in_use_in_the_daemons_words_and_leaves_nothing(
    node: Node, server: Make
) -> None:
    first, second = server("first"), server("second")
    first("start")
    done = second("start")
    assert done.returncode == GENERIC
    assert "Address already in use" in reason(done)
    assert second.traces() == []
    assert node.exec("systemctl", "--failed", "--quiet", "--no-legend").stdout == ""
    assert first("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS


def test_start_names_an_address_of_another_node_and_leaves_nothing(server: Make) -> None:
    resource = server(bind="192.0.2.1")
    done = resource("start")
    assert done.returncode == GENERIC
    assert "192.0.2.1" in reason(done)
    assert resource.traces() == []


def test_start_gives_up_in_time_on_a_daemon_that_is_never_ready(
    server: Make, drop_in: Callable[[str], None]
) -> None:
    drop_in("ExecStart=\nExecStart=/bin/sleep 600\nTimeoutStartSec=600")
    resource = server()
    done = resource("start", limit=12)
    assert done.returncode == GENERIC
    assert "not ready after 6 seconds" in reason(done)
    assert resource.traces() == []


def test_start_reports_the_last_message_of_a_daemon_that_exits_at_once(
    server: Make, drop_in: Callable[[str], None]
) -> None:
    drop_in(OUT_OF_TEA)
    resource = server()
    done = resource("start")
    assert done.returncode == GENERIC
    assert reason(done).endswith(": out of tea")
    assert resource.traces() == []


def test_start_reports_the_last_message_even_if_journald_is_late(
    node: Node, server: Make, drop_in: Callable[[str], None]
) -> None:
    drop_in(OUT_OF_TEA)
    resource = server()
    node.exec("systemctl", "kill", "--signal=STOP", "systemd-journald")
    with ThreadPoolExecutor() as pool:
        try:
            done = pool.submit(resource, "start")
            eventually(lambda: resource.show("ActiveState") == "failed")
        finally:
            node.exec("systemctl", "kill", "--signal=CONT", "systemd-journald")
        assert reason(done.result()).endswith(": out of tea")


def test_start_applies_other_settings_to_a_running_daemon(node: Node, server: Make) -> None:
    server(greet="old")("start")
    resource = server(greet="new", bind="127.0.0.1")
    assert resource("start").returncode == SUCCESS
    assert greeting(node) == "new This is ha1!\n"
    assert greeting(node, "172.16.0.1") == ""


def test_a_second_start_keeps_the_daemon_running(server: Make) -> None:
    resource = server()
    resource("start")
    before = main_pid(resource)
    assert resource("start").returncode == SUCCESS
    assert main_pid(resource) == before


def test_rule_50_stop_leaves_nothing(server: Make) -> None:
    resource = server()
    resource("start")
    resource("stop")
    assert resource.traces() == []


@pytest.mark.parametrize("how", ["kill --signal=STOP", "freeze"])
def test_rule_49_a_suspended_daemon_is_stopped_in_time(node: Node, server: Make, how: str) -> None:
    resource = server()
    resource("start")
    node.sh(f"systemctl {how} {resource.unit}")
    assert resource("stop", limit=12).returncode == SUCCESS
    assert resource.traces() == []


def test_rule_49_a_daemon_that_ignores_term_is_killed_in_time(
    node: Node, server: Make, drop_in: Callable[[str], None]
) -> None:
    node.write("/run/deaf.py", DEAF)
    drop_in("ExecStart=\nExecStart=/usr/bin/python3 /run/deaf.py\nTimeoutStopSec=600")
    resource = server()
    node.exec("systemctl", "start", resource.unit)
    began = time.monotonic()
    assert resource("stop", limit=12).returncode == SUCCESS
    # TERM gets two thirds of the time that is left, in whole seconds.
    assert 6.5 < time.monotonic() - began < 12
    assert resource.traces() == []


def test_rule_48_stop_succeeds_with_broken_parameters_and_without_the_daemons_file(
    node: Node, server: Make
) -> None:
    server()("start")
    broken = server(greet="a\nb", port="none", bind="*")
    node.exec("mv", DAEMON, f"{DAEMON}.away")
    try:
        assert broken("stop").returncode == SUCCESS
    finally:
        node.exec("mv", f"{DAEMON}.away", DAEMON)
    assert broken.traces() == []


def test_rule_47_stop_succeeds_without_the_unit_file(node: Node, server: Make) -> None:
    resource = server()
    resource("start")
    unit = "/usr/lib/systemd/system/sample-tcp-server@.service"
    node.sh(f"mv {unit} /root; systemctl daemon-reload")
    try:
        assert resource("monitor").returncode == SUCCESS
        assert resource("stop").returncode == SUCCESS
        assert resource("monitor", interval=0).returncode == NOT_RUNNING
        assert resource("start").returncode == GENERIC
    finally:
        node.sh(f"mv /root/sample-tcp-server@.service {unit}; systemctl daemon-reload")
    assert resource.traces() == []


def test_rule_51_a_killed_daemon_counts_as_not_running(node: Node, server: Make) -> None:
    resource = server()
    resource("start")
    node.exec("systemctl", "kill", "--signal=KILL", resource.unit)
    eventually(lambda: resource.show("ActiveState") == "failed")
    done = resource("monitor")
    assert done.returncode == NOT_RUNNING
    assert "failed" in reason(done)
    assert resource("monitor", interval=0).returncode == NOT_RUNNING
    assert resource("start").returncode == SUCCESS


def test_rule_52_a_mark_with_a_wrong_pid_does_not_make_a_stopped_unit_running(
    node: Node, server: Make
) -> None:
    resource = server()
    resource("start")
    mark = node.read(f"{RUN}/R.watched").decode()
    node.exec("systemctl", "stop", resource.unit)
    for pid in ("1", "4194304", "", "x", "self"):
        lines = [*mark.splitlines()[:2], pid]
        node.write(f"{RUN}/R.watched", "\n".join(lines) + "\n")
        assert resource("monitor").returncode == NOT_RUNNING, pid


def test_rule_51_a_daemon_restarted_by_hand_counts_as_running(node: Node, server: Make) -> None:
    resource = server()
    resource("start")
    node.exec("systemctl", "restart", resource.unit)
    assert resource("monitor").returncode == SUCCESS


@pytest.mark.parametrize("step", ["ExecStartPost", "ExecStop"])
def test_a_monitor_fails_while_the_unit_activates_or_deactivates(
    node: Node, server: Make, drop_in: Callable[[str], None], step: str
) -> None:
    drop_in(f"{step}=/bin/sleep 600")
    resource = server()
    node.write(f"{RUN}/R.conf", "greet=x\n")
    node.exec("systemctl", "start", "--no-block", resource.unit)
    if step == "ExecStop":
        eventually(lambda: resource.show("ActiveState") == "active")
        node.exec("systemctl", "stop", "--no-block", resource.unit)
    expected = "activating" if step == "ExecStartPost" else "deactivating"
    eventually(lambda: resource.show("ActiveState") == expected)
    done = resource("monitor")
    assert done.returncode == GENERIC
    assert expected in reason(done)
    assert resource("stop", limit=12).returncode == SUCCESS


def test_a_deep_monitor_fails_on_a_suspended_daemon(node: Node, server: Make) -> None:
    resource = server()
    resource("start")
    node.exec("systemctl", "kill", "--signal=STOP", resource.unit)
    assert resource("monitor").returncode == SUCCESS
    done = resource("monitor", limit=12, OCF_CHECK_LEVEL="10")
    assert done.returncode == GENERIC
    assert "no greeting from 127.0.0.1:5678" in reason(done)


@pytest.mark.parametrize("bind", ["127.0.0.1,::1", "172.16.0.1,fd00:ac10::1", ""])
def test_a_deep_monitor_checks_every_address_of_bind(node: Node, server: Make, bind: str) -> None:
    resource = server(bind=bind)
    resource("start")
    assert resource("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
    wrong = {"127.0.0.1,::1": "127.0.0.1,::1,172.16.0.1", "": "127.0.0.2"}.get(bind, "127.0.0.1")
    claimed = server(bind=wrong)
    expected = SUCCESS if bind == "" else GENERIC
    assert claimed("monitor", OCF_CHECK_LEVEL="10").returncode == expected


@pytest.mark.parametrize("bind", ["172.16.0.77", "127.0.0.2", "fd00:ac10::77"])
def test_a_second_address_of_the_node_passes_the_deep_monitor(
    node: Node, server: Make, bind: str
) -> None:
    """As the cluster's address is: in the net of the node's own, which packets then come from."""
    length = "64" if ":" in bind else "24"
    where = node.sh("ip -o address show to 172.16.0.1").stdout.split()[1]
    change = f"ip address {{}} {bind}/{length} dev {where} nodad"
    local = bind.startswith("127.")
    if not local:
        node.sh(change.format("add"))
    try:
        resource = server(bind=bind)
        started = resource("start")
        assert (started.returncode, started.stderr) == (SUCCESS, "")
        assert resource("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
        assert resource("reload").returncode == SUCCESS
        resource("stop")
    finally:
        if not local:
            node.sh(change.format("delete").removesuffix("nodad"))


def test_rule_64_reload_takes_a_new_greeting_with_the_same_pid(node: Node, server: Make) -> None:
    resource = server(greet="old")
    resource("start")
    before = main_pid(resource)
    done = server(greet="new")("reload")
    assert (done.returncode, done.stderr) == (SUCCESS, "")
    assert greeting(node) == "new This is ha1!\n"
    assert main_pid(resource) == before


def test_reload_takes_new_addresses_with_the_same_pid(node: Node, server: Make) -> None:
    resource = server(bind="127.0.0.1")
    resource("start")
    before = main_pid(resource)
    assert server(bind="172.16.0.1,::1")("reload").returncode == SUCCESS
    assert greeting(node, "172.16.0.1") == greeting(node, "::1") == "Hello! This is ha1!\n"
    eventually(lambda: greeting(node, "127.0.0.1") == "")
    assert main_pid(resource) == before


def test_reload_reports_why_the_daemon_refused_and_keeps_the_old_settings(
    node: Node, server: Make
) -> None:
    resource = server()
    resource("start")
    done = server(bind="192.0.2.1")("reload", limit=12)
    assert done.returncode == GENERIC
    assert "192.0.2.1" in reason(done)
    assert greeting(node) == "Hello! This is ha1!\n"


@pytest.fixture
def stranger(node: Node) -> Iterator[str]:
    """The address of another machine that gives the very same greetings."""
    node.sh(
        "ip netns add stranger\n"
        "ip link add to-stranger type veth peer name eth0 netns stranger\n"
        "ip address add 198.18.9.1/24 dev to-stranger\n"
        "ip link set to-stranger up\n"
        "ip -n stranger address add 198.18.9.2/24 dev eth0\n"
        "ip -n stranger link set eth0 up\n"
        f"systemd-run --quiet --unit=stranger ip netns exec stranger {DAEMON}\n"
    )
    eventually(lambda: greeting(node, "198.18.9.2") != "")
    yield "198.18.9.2"
    node.sh("systemctl stop stranger; ip netns delete stranger")


def test_a_deep_monitor_rejects_an_answer_from_another_machine(
    node: Node, server: Make, stranger: str
) -> None:
    resource = server(bind="127.0.0.1")
    resource("start")
    claimed = server(bind=f"127.0.0.1,{stranger}")
    done = claimed("monitor", limit=12, OCF_CHECK_LEVEL="10")
    assert done.returncode == GENERIC
    assert f"no greeting from {stranger}:5678: the address is another machine's" in reason(done)
    assert claimed("reload", limit=12).returncode == GENERIC


def test_a_process_left_over_by_systemd_is_an_error_until_stop_kills_it(
    node: Node, server: Make, drop_in: Callable[[str], None]
) -> None:
    """Like a process that waits for a dead disk: it lives on while its unit is inactive."""
    drop_in("KillMode=none")
    resource = server()
    resource("start")
    pid = main_pid(resource)
    node.exec("systemctl", "stop", resource.unit)
    assert resource.show("ActiveState") == "inactive"
    node.exec("rm", f"{RUN}/{resource.name}.watched")
    done = resource("monitor")
    assert done.returncode == GENERIC
    assert "left over" in reason(done)
    assert resource("stop").returncode == SUCCESS
    assert node.exec("test", "-e", f"/proc/{pid}", check=False).returncode == 1
    assert resource("monitor").returncode == NOT_RUNNING


def test_reload_of_a_stopped_resource_reports_not_running(server: Make) -> None:
    done = server()("reload")
    assert done.returncode == NOT_RUNNING
    assert "inactive" in reason(done)
