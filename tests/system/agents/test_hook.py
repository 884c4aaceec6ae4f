# SPDX-License-Identifier: Apache-2.0
"""What Pacemaker learns when the daemon ends, in a cluster of one node."""

from __future__ import annotations

import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from support.resource import RUN, Resource, eventually

UNIT = "sample-tcp-server@TCP-SERVER.service"
HOOK = "sample-tcp-server-lost@TCP-SERVER.service"
COROSYNC = """
totem {
  version: 2
  cluster_name: alone
  transport: knet
}
quorum {
  provider: corosync_votequorum
}
nodelist {
  node {
    name: alone
    nodeid: 1
    ring0_addr: 127.0.0.1
  }
}
"""


@pytest.fixture(scope="module")
def cluster(as_root: None, suite: Suite, deb: Path) -> Iterator[Node]:
    """A cluster of one node, whose name in the cluster is not its host name, with the resource."""
    with lab_machine(suite, info=lambda line: print(line, file=sys.stderr)) as node:
        node.push(deb, "/root/sample.deb")
        node.exec("dpkg", "--install", "/root/sample.deb")
        node.write("/etc/corosync/corosync.conf", COROSYNC)
        node.exec("systemctl", "start", "corosync", "pacemaker")
        eventually(lambda: 'online="true"' in monitor(node), 60)
        node.exec("pcs", "property", "set", "stonith-enabled=false")
        node.exec(
            "pcs", "resource", "create", "TCP-SERVER", "ocf:kamaboko:sample-tcp-server", "greet=Hi!"
        )
        eventually(lambda: answers(node), 30)
        yield node


@pytest.fixture
def quiet(cluster: Node) -> Node:
    """The cluster with the resource running, watched, managed and without a failure."""
    if not is_watched(cluster):
        cluster.exec("crm_resource", "--restart", "--resource", "TCP-SERVER")
    # A cleanup loses the result of a monitor on its way, and Pacemaker waits 70 s for that.
    eventually(lambda: is_idle(cluster), 40)
    cluster.exec("crm_resource", "--cleanup", "--resource", "TCP-SERVER")
    settle(cluster)
    return cluster


def monitor(node: Node) -> str:
    return node.exec("crm_mon", "--one-shot", "--output-as=xml", check=False).stdout


def settle(node: Node) -> None:
    try:
        eventually(lambda: answers(node) and is_settled(node), 40)
    except AssertionError:
        print(monitor(node), node.sh("journalctl --lines=200 --output=short-precise").stdout)
        raise


def is_settled(node: Node) -> bool:
    """Whether Pacemaker has nothing to do, both monitors run, and no failure is on record."""
    root = ET.fromstring(monitor(node))
    monitors = root.findall(".//operation_history[@task='monitor'][@rc='0'][@interval]")
    failed = root.findall(".//failure") or failures(node)
    return is_idle(node) and len(monitors) == 2 and not failed


def is_idle(node: Node) -> bool:
    return "S_IDLE" in node.exec("crmadmin", "--status", "alone", check=False).stdout


def main_pid(node: Node) -> str:
    return node.exec("systemctl", "show", "--property=MainPID", "--value", UNIT).stdout.strip()


def is_watched(node: Node) -> bool:
    """Whether start has got as far as the mark."""
    mark = node.sh(f"cat {RUN}/TCP-SERVER.watched", check=False).stdout
    return mark == f"TCP-SERVER\nalone\n{main_pid(node)}\n"


def answers(node: Node) -> bool:
    return node.exec("sample-tcp-server", "--probe", "127.0.0.1:5678", check=False).returncode == 0


def failures(node: Node) -> int:
    """Pacemaker's fail count of the resource."""
    history = ET.fromstring(monitor(node)).iterfind(".//resource_history[@id='TCP-SERVER']")
    return sum(int(each.get("fail-count", "0")) for each in history)


def has_failed(node: Node, count: int) -> bool:
    return failures(node) >= count


def end(node: Node, how: str) -> None:
    node.exec(*how.split(), UNIT)


def end_and_come_back(node: Node, how: str) -> None:
    before = main_pid(node)
    end(node, how)
    eventually(lambda: main_pid(node) != before and is_watched(node), 30)


@pytest.mark.parametrize(
    "how", ["systemctl kill --signal=KILL", "systemctl stop", "systemctl kill"]
)
def test_an_unrequested_end_of_the_daemon_reaches_pacemaker_at_once(quiet: Node, how: str) -> None:
    """The monitor, which would also notice, runs only every 10 s."""
    for count in (1, 2, 3):
        end_and_come_back(quiet, how)
        eventually(partial(has_failed, quiet, count))
        time.sleep(0.3)  # for a second count, should there be one
        assert failures(quiet) == count
    assert "asyncmon" in monitor(quiet)


SLOW_PACEMAKER = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin crm_mon "$@"
{meanwhile}
"""


@pytest.mark.parametrize("meanwhile", ["rm /run/mark", "echo another >>/run/mark"])
def test_the_hook_reports_nothing_once_the_mark_is_gone_or_changed(
    quiet: Node, meanwhile: str
) -> None:
    wrapper = SLOW_PACEMAKER.format(meanwhile=meanwhile)
    quiet.write("/run/slow/crm_mon", wrapper, mode=0o755)
    quiet.exec("cp", f"{RUN}/TCP-SERVER.watched", "/run/mark")
    hook = "/usr/lib/sample-tcp-server/report-lost"
    done = quiet.sh(f"PATH=/run/slow:$PATH {hook} /run/mark")
    assert done.stdout == ""
    time.sleep(0.3)
    assert failures(quiet) == 0
    # Without a change in between, the hook reports the end.
    before = main_pid(quiet)
    quiet.exec("cp", f"{RUN}/TCP-SERVER.watched", "/run/mark")
    assert "told Pacemaker" in quiet.exec(hook, "/run/mark").stdout
    eventually(lambda: main_pid(quiet) != before and is_watched(quiet), 30)
    eventually(partial(has_failed, quiet, 1))


def test_a_mark_without_the_daemons_pid_is_reported(quiet: Node) -> None:
    """An agent that writes a two-line mark does without a quick monitor."""
    before = main_pid(quiet)
    quiet.sh(f"head -n 2 {RUN}/TCP-SERVER.watched >/run/mark")
    hook = "/usr/lib/sample-tcp-server/report-lost"
    assert "told Pacemaker" in quiet.exec(hook, "/run/mark").stdout
    eventually(lambda: main_pid(quiet) != before and is_watched(quiet), 30)
    eventually(partial(has_failed, quiet, 1))


def test_an_end_during_the_hook_run_is_reported(quiet: Node) -> None:
    """systemd does not start a second hook while the first runs, so the first must look again."""
    quiet.exec("cp", f"{RUN}/TCP-SERVER.watched", "/run/mark")
    wrapper = SLOW_PACEMAKER.format(meanwhile="sed -i '3s/.*/99999999/' /run/mark")
    quiet.write("/run/slow/crm_mon", wrapper, mode=0o755)
    before = main_pid(quiet)
    hook = "/usr/lib/sample-tcp-server/report-lost"
    done = quiet.sh(f"PATH=/run/slow:$PATH {hook} /run/mark")
    assert done.stdout == "<4>told Pacemaker that TCP-SERVER ended on alone\n"
    eventually(lambda: main_pid(quiet) != before and is_watched(quiet), 30)
    eventually(partial(has_failed, quiet, 1))


@pytest.fixture
def moves_at_the_second(quiet: Node) -> Iterator[Node]:
    """The cluster with a migration threshold of two crashes."""
    meta = "crm_resource --meta --resource TCP-SERVER"
    threshold = "--set-parameter migration-threshold --parameter-value 2"
    quiet.exec(*f"{meta} {threshold}".split())
    settle(quiet)
    yield quiet
    quiet.exec(*f"{meta} --delete-parameter migration-threshold".split())
    settle(quiet)


def test_migration_threshold_counts_one_crash_once(moves_at_the_second: Node) -> None:
    node = moves_at_the_second
    for _ in range(3):
        before = main_pid(node)
        began = time.time()
        end_and_come_back(node, "systemctl kill --signal=KILL")
        eventually(partial(has_failed, node, 1))
        eventually(lambda: is_idle(node), 20)
        assert failures(node) == 1
        assert main_pid(node) != before
        log = node.journal(f"--since=@{began}", "--output=cat", "--unit=pacemaker")
        assert "reaching migration threshold" not in log
        node.exec("crm_resource", "--cleanup", "--resource", "TCP-SERVER")
        settle(node)


def on_fail(node: Node, reaction: str) -> None:
    """Set what Pacemaker does if a monitor fails: both, since after a crash either may be first."""
    for operation in ("TCP-SERVER-monitor-interval-10s", "TCP-SERVER-monitor-interval-15s"):
        change = f'<op id="{operation}" on-fail="{reaction}"/>'
        node.exec("cibadmin", "--modify", "--scope=resources", f"--xml-text={change}")


@pytest.fixture
def stops_on_failure(quiet: Node) -> Iterator[Node]:
    """The cluster, which stops the resource for good if a monitor of it fails."""
    on_fail(quiet, "stop")
    settle(quiet)
    yield quiet
    # This starts the resource again. The failure is left to the next `quiet`: a cleanup now would
    # lose the monitors that come with the start.
    on_fail(quiet, "restart")
    eventually(lambda: is_watched(quiet), 30)


def test_the_hook_leaves_a_resource_with_its_own_on_fail_to_its_monitor(
    stops_on_failure: Node,
) -> None:
    """Pacemaker ignores a monitor's on-fail for a reported failure and would restart the daemon."""
    node = stops_on_failure
    end(node, "systemctl kill --signal=KILL")
    message = "TCP-SERVER ended on alone: left to its monitor, which has on-fail=stop"
    eventually(lambda: message in node.journal(f"--unit={HOOK}", "--output=cat"))
    eventually(lambda: failures(node) == 1 and is_idle(node), 30)
    assert "asyncmon" not in monitor(node)
    assert not answers(node)


@pytest.fixture
def blocks_by_default(quiet: Node) -> Iterator[Node]:
    """The cluster, where a failed operation blocks a resource, but a failed monitor restarts it."""
    on_fail(quiet, "restart")
    quiet.exec("pcs", "resource", "op", "defaults", "update", "on-fail=block")
    settle(quiet)
    yield quiet
    quiet.exec("pcs", "resource", "op", "defaults", "update", "on-fail=")


def test_a_default_that_is_not_the_monitors_does_not_block_the_resource(
    blocks_by_default: Node,
) -> None:
    """Pacemaker would apply the default to a report."""
    node = blocks_by_default
    end(node, "systemctl kill --signal=KILL")
    message = "left to its monitor, which may not have the default on-fail=block"
    eventually(lambda: message in node.journal(f"--unit={HOOK}", "--output=cat"))
    eventually(lambda: answers(node) and failures(node) == 1, 30)
    assert "asyncmon" not in monitor(node)


def test_a_stop_that_pacemaker_asked_for_is_not_reported(quiet: Node) -> None:
    quiet.exec("pcs", "resource", "disable", "TCP-SERVER", "--wait=20")
    assert not answers(quiet)
    quiet.exec("pcs", "resource", "enable", "TCP-SERVER", "--wait=20")
    settle(quiet)
    assert failures(quiet) == 0


# As pcs sets them, but quicker.
UNMANAGED = "crm_resource --meta --resource TCP-SERVER --set-parameter is-managed --parameter-value"
MAINTENANCE = "crm_attribute --name maintenance-mode --update"


@pytest.fixture(params=[(UNMANAGED, "false", "true"), (MAINTENANCE, "true", "false")])
def hands_off(request: pytest.FixtureRequest, quiet: Node) -> Iterator[Node]:
    """The cluster with the resource unmanaged or in maintenance mode."""
    command, off, on = request.param
    quiet.exec(*command.split(), off)
    eventually(lambda: 'managed="false"' in monitor(quiet))
    yield quiet
    quiet.exec(*command.split(), on)
    eventually(lambda: 'managed="true"' in monitor(quiet))


def test_an_end_during_maintenance_is_not_reported(hands_off: Node) -> None:
    end(hands_off, "systemctl restart")
    began = time.time()
    end(hands_off, "systemctl kill --signal=KILL")
    eventually(lambda: not answers(hands_off))
    hands_off.exec("systemctl", "start", UNIT)
    since = f"--since=@{began}"
    eventually(lambda: "Finished" in hands_off.journal(since, f"--unit={HOOK}"))
    assert failures(hands_off) == 0
    assert hands_off.exec("systemctl", "is-failed", HOOK, check=False).stdout.strip() == "inactive"


def test_a_new_greeting_does_not_restart_the_daemon(quiet: Node) -> None:
    before, began = main_pid(quiet), time.time()
    # Without op-restart-digest in it, Pacemaker restarts in place of a reload.
    history = quiet.exec("cibadmin", "--query", "--xpath", "//lrm_resource").stdout
    quiet.exec("pcs", "resource", "update", "TCP-SERVER", "greet=Moin!", "--wait=20")
    quiet.exec("sample-tcp-server", "--probe", "127.0.0.1:5678", "--expect", "Moin!")
    journal = quiet.journal(f"--since=@{began}", "--output=short-precise")
    assert main_pid(quiet) == before, history + monitor(quiet) + journal
    quiet.exec("pcs", "resource", "update", "TCP-SERVER", "greet=Hi!", "--wait=20")
    assert failures(quiet) == 0


def test_pacemaker_and_the_unit_do_not_wait_for_each_other_at_shutdown(quiet: Node) -> None:
    """The unit stops after Pacemaker, which stops it during its own shutdown."""
    began = time.time()
    quiet.exec("systemctl", "stop", "pacemaker")
    log = quiet.journal(f"--since=@{began}", f"--unit={UNIT}")
    state = quiet.exec("systemctl", "is-active", UNIT, check=False).stdout.strip()
    quiet.exec("systemctl", "start", "pacemaker")
    eventually(lambda: answers(quiet), 60)
    assert state == "inactive"
    assert "code=killed" not in log, "the agent's stop had to kill"
    assert "Stopped" in log


def test_without_pacemaker_the_hook_reports_nothing_and_does_not_fail(
    node: Node, server: Callable[..., Resource]
) -> None:
    resource = server("LONELY")
    resource("start")
    node.exec("systemctl", "kill", "--signal=KILL", resource.unit)
    hook = "sample-tcp-server-lost@LONELY.service"
    eventually(lambda: "Finished" in node.journal(f"--unit={hook}"))
    lines = node.journal("--output=cat", f"--unit={hook}", "_COMM=report-lost")
    assert "Pacemaker" not in lines
    assert node.exec("systemctl", "is-failed", hook, check=False).stdout.strip() == "inactive"


def test_an_end_without_a_mark_does_not_start_the_hook(
    node: Node, server: Callable[..., Resource]
) -> None:
    resource = server("MARKLESS")
    resource("start")
    resource("stop")
    hook = "sample-tcp-server-lost@MARKLESS.service"
    eventually(lambda: "skipped" in node.journal(f"--unit={hook}"))
    assert "Starting" not in node.journal(f"--unit={hook}")
