# SPDX-License-Identifier: Apache-2.0
"""The sample bundle on three real nodes per Debian release: what the article promises, counted.

One cluster serves all tests of a release, in the order they stand here: the last one takes a
node's power away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from hadeb.lab.client.answers import Answer, between, to_service, turns, unanswered
from hadeb.lab.client.outage import outage
from hadeb.lab.client.watch import Watch
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.host.wait import wait_until
from hadeb.lab.node.node import Node
from hadeb.manifest.cluster import AnswerTable
from support.pages import FENCE, ROOT

ADDRESS = "172.16.0.50"
GREETING = AnswerTable(address=ADDRESS, port=5678, expect=r"This is (?P<node>\S+)!")
UNIT = "sample-tcp-server@TCP-SERVER.service"
# As the article prints them, but for the word pcs; the address is the article's too.
ARTICLE = (
    "resource create SAMPLE ocf:kamaboko:sample-resource",
    f"resource create VIP ocf:heartbeat:IPaddr2 ip={ADDRESS} cidr_netmask=24"
    ' op monitor interval=10s on-fail="standby"',
    "resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!",
    "constraint colocation add TCP-SERVER with VIP INFINITY",
)
# How long the service is gone, tests/bench/failover_bench.py judges; here it is only noted.
REPEATS = 5

Note = Callable[[str, str, list[float]], None]


@pytest.fixture(scope="module")
def cluster(bare_cluster: Cluster) -> Cluster:
    """The cluster of the article, its resources started."""
    for command in ARTICLE:
        bare_cluster.pcs(command)
    bare_cluster.settle()
    return bare_cluster


@pytest.fixture
def watch(cluster: Cluster) -> Iterator[Watch]:
    """Clients that ask continuously and have had an answer."""
    with cluster.watch(GREETING) as watch:
        watch.until(lambda answers: len(_heard(answers)) > 20, timeout=20, what="an answer")
        yield watch


def active(cluster: Cluster) -> Node:
    """The node that serves."""
    name = cluster.where("TCP-SERVER")
    assert name, "TCP-SERVER runs nowhere"
    return cluster[name]


def failed_operations(cluster: Cluster) -> set[str]:
    """The operations that Pacemaker shows as failed."""
    return {failure.key for failure in cluster.status().failures}


def daemon_pid(node: Node) -> int:
    """The daemon's PID as the node sees it, 0 where there is none."""
    return int(node.exec("systemctl", "show", "--value", "--property=MainPID", UNIT).stdout)


def _heard(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in to_service(answers) if answer.who]


def _recovers(
    cluster: Cluster, watch: Watch, fault: Callable[[Node], object], *, within: float = 30.0
) -> tuple[list[Answer], Node]:
    """Do something to the active node; the answers around it, and the node that serves next."""
    victim = active(cluster)
    start = time.monotonic()
    fault(victim)
    watch.until(
        lambda answers: bool(_after_a_gap(answers, start)), timeout=within, what="no recovery"
    )
    cluster.settle()
    return between(watch.answers, start - 0.2, time.monotonic()), active(cluster)


def _forget_failures(cluster: Cluster) -> None:
    cluster.pcs("resource cleanup TCP-SERVER")
    cluster.settle()


def _after_a_gap(answers: list[Answer], start: float) -> list[Answer]:
    recent = [answer for answer in to_service(answers) if answer.at > start]
    refused = [answer.at for answer in unanswered(recent)]
    return [answer for answer in recent if answer.who and refused and answer.asked > refused[0]]


def _seconds(answers: list[Answer]) -> float:
    gap = outage(to_service(answers))
    assert gap
    return gap.seconds


def _speakers(answers: list[Answer]) -> list[str]:
    """The nodes that answered, in order, through the address or directly."""
    return [turn.who for turn in turns(answers)]


def _kill(node: Node) -> None:
    node.exec("systemctl", "kill", "--signal=KILL", "--kill-who=main", UNIT)


@pytest.mark.parametrize("agent", ["sample-resource", "sample-tcp-server"])
def test_ocf_tester_finds_nothing_wrong(bare_cluster: Cluster, agent: str) -> None:
    node = bare_cluster.nodes[-1]
    done = node.exec(
        "ocf-tester", "-n", "TRIAL", f"/usr/lib/ocf/resource.d/kamaboko/{agent}", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed all tests" in done.stdout


def test_the_articles_commands_work_as_printed(cluster: Cluster) -> None:
    assert cluster.where("SAMPLE") is not None
    assert cluster.where("TCP-SERVER") == cluster.where("VIP") is not None


def test_pcs_takes_both_levels_of_monitor_from_the_agent(cluster: Cluster) -> None:
    query = "//primitive[@id='TCP-SERVER']/operations/op[@name='monitor']"
    operations = cluster.any.exec("cibadmin", "--query", "--xpath", query).stdout
    assert 'interval="10s"' in operations
    assert 'interval="15s"' in operations
    assert 'name="OCF_CHECK_LEVEL" value="10"' in operations


def test_an_answer_comes_through_the_address(cluster: Cluster, watch: Watch) -> None:
    name = active(cluster).name
    assert {answer.text for answer in _heard(watch.answers)} == {f"Hi! This is {name}!\n"}
    assert _speakers(watch.answers) == [name]


def test_a_new_greeting_loses_no_connection_and_restarts_nothing(
    cluster: Cluster, watch: Watch
) -> None:
    node = active(cluster)
    pid = daemon_pid(node)
    new = f"Hii! This is {node.name}!\n"
    cluster.pcs("resource update TCP-SERVER greet=Hii!")
    watch.until(
        lambda answers: answers[-1].text == new, timeout=20, what="the new greeting did not come"
    )
    cluster.settle()
    cluster.pcs("resource update TCP-SERVER greet=Hi!")
    watch.until(
        lambda answers: to_service(answers)[-1].text != new, timeout=20, what="nor the old again"
    )
    cluster.settle()
    answers = to_service(watch.answers)
    assert unanswered(answers) == []
    assert {answer.text for answer in answers} == {new, f"Hi! This is {node.name}!\n"}
    assert daemon_pid(active(cluster)) == pid


def test_a_killed_daemon_is_restarted_and_counted_before_a_monitor_notices(
    cluster: Cluster, watch: Watch, note: Note
) -> None:
    _forget_failures(cluster)
    seconds = []
    for _ in range(REPEATS):
        failures = cluster.status().fail_count("TCP-SERVER")
        pid = daemon_pid(active(cluster))
        answers, node = _recovers(cluster, watch, _kill)
        seconds.append(_seconds(answers))
        assert daemon_pid(node) != pid
        assert cluster.status().fail_count("TCP-SERVER") == failures + 1
    note(cluster.suite, "SIGKILL of the daemon", seconds)
    # The crash hook's report, as Pacemaker calls it: no monitor had to find it.
    assert failed_operations(cluster) == {"TCP-SERVER_asyncmon_0"}


def test_a_stop_by_hand_is_recovered(cluster: Cluster, watch: Watch, note: Note) -> None:
    answers, _ = _recovers(cluster, watch, lambda node: node.exec("systemctl", "stop", UNIT))
    note(cluster.suite, "systemctl stop by hand", [_seconds(answers)])


def test_a_hung_daemon_is_found_by_the_deep_monitor(
    cluster: Cluster, watch: Watch, note: Note
) -> None:
    _forget_failures(cluster)
    node = active(cluster)
    # systemd's watchdog finds it too, and often sooner: out of the way with it.
    drop_in = f"/run/systemd/system/{UNIT}.d/no-watchdog.conf"
    node.write(drop_in, "[Service]\nWatchdogSec=0\n")
    node.exec("systemctl", "daemon-reload")
    try:
        _recovers(cluster, watch, _kill)
        _forget_failures(cluster)
        assert active(cluster) is node
        answers, _ = _recovers(
            cluster,
            watch,
            lambda node: node.exec("systemctl", "kill", "--signal=STOP", "--kill-who=main", UNIT),
            within=60,
        )
    finally:
        node.exec("rm", drop_in)
        node.exec("systemctl", "daemon-reload")
    note(cluster.suite, "SIGSTOP, no watchdog", [_seconds(answers)])
    assert "TCP-SERVER_monitor_15000" in failed_operations(cluster)


def test_standby_moves_the_service_almost_without_a_gap(
    cluster: Cluster, watch: Watch, note: Note
) -> None:
    _forget_failures(cluster)
    seconds = []
    for _ in range(REPEATS):
        before = active(cluster)
        answers, after = _recovers(
            cluster, watch, lambda node: cluster.pcs(f"node standby {node.name}")
        )
        assert _speakers(answers) == [before.name, after.name]
        seconds.append(_seconds(answers))
        cluster.pcs(f"node unstandby {before.name}")
        cluster.settle()
    note(cluster.suite, "pcs node standby", seconds)
    assert failed_operations(cluster) == set()


def test_the_hook_that_the_docs_show_reports_the_end_of_a_unit_of_debian(cluster: Cluster) -> None:
    page = (ROOT / "docs/how-to/describe-your-cluster.md").read_text("utf-8")
    blocks = {block["title"]: block["body"] for block in FENCE.finditer(page)}
    units = "/usr/lib/systemd/system"
    for node in cluster.nodes:
        node.write(f"{units}/ssh.service.d/50-reports.conf", blocks["ssh-reports.conf"])
        node.write(f"{units}/ssh-lost.service", blocks["ssh-lost.service"])
        node.exec("systemctl", "daemon-reload")
    cluster.pcs("resource create SSHD systemd:ssh op monitor interval=60s timeout=100s")
    cluster.settle()
    before = cluster.where("SSHD")
    assert before
    # The monitor would take up to a minute.
    cluster[before].exec("systemctl", "kill", "--signal=KILL", "ssh")
    reported = wait_until(
        lambda: "SSHD_asyncmon_0" in failed_operations(cluster), timeout=15, pause=0.2
    )
    assert reported, "the crash was not reported"
    cluster.settle()
    assert cluster.where("SSHD")
    # What Pacemaker stops is not reported.
    cluster.pcs("resource cleanup SSHD")
    cluster.settle()
    cluster.pcs("resource disable SSHD")
    cluster.settle()
    assert failed_operations(cluster) == set()
    cluster.pcs("resource delete SSHD")
    cluster.settle()


def test_a_single_other_node_answers_after_the_active_one_loses_power(
    cluster: Cluster, watch: Watch, note: Note
) -> None:
    victim = active(cluster)
    answers, heir = _recovers(cluster, watch, Node.cut_power, within=60)
    note(cluster.suite, "power cut of the active node", [_seconds(answers)])
    assert heir is not victim
    assert _speakers(answers) == [victim.name, heir.name]
    assert cluster.where("VIP") == heir.name
    victim.boot()
    cluster.wait_online()
    cluster.settle()
    assert cluster.where("TCP-SERVER") == cluster.where("VIP") is not None
