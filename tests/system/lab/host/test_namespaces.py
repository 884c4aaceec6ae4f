# SPDX-License-Identifier: Apache-2.0
"""A lab leaves nothing behind, and its network is isolated in both directions."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.host import registry, wait
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.host.registry import STATE, sweep
from hadeb.lab.node.machine import machine as boot_machine
from hadeb.lab.node.node import Node
from support.lab_leftovers import assert_nothing_is_left, cgroups_of, processes_of, wait_until

pytestmark = pytest.mark.usefixtures("as_root")

# Says which lab it is, boots a node in it, and stays until it is killed.
LAB = """
import sys, time
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node
with Namespaces(["172.16.0.254/24"]) as namespaces:
    print(namespaces.id, flush=True)
    node = Node(namespaces, "ha1", image("bookworm"), (Address("172.16.0.1", 24),))
    node.create()
    node.boot()
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lab() -> Iterator[Callable[[], tuple[subprocess.Popen[str], str]]]:
    """Starts hadeb in a process of its own: the process, and the lab's id."""
    started = []

    def begin() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", LAB], stdout=subprocess.PIPE, text=True, process_group=0
        )
        started.append(process)
        assert process.stdout
        return process, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_kill_9_of_a_running_lab_leaves_nothing(
    lab: Callable[[], tuple[subprocess.Popen[str], str]],
) -> None:
    process, name = lab()
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    assert processes_of(name)
    process.kill()
    process.wait()
    assert_nothing_is_left(name)


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_kill_9_while_a_node_boots_leaves_nothing(
    lab: Callable[[], tuple[subprocess.Popen[str], str]], delay: float
) -> None:
    process, name = lab()
    time.sleep(delay)
    process.kill()
    process.wait()
    assert_nothing_is_left(name)


def test_a_sweep_waits_for_a_dying_lab_but_not_for_a_running_one(
    lab: Callable[[], tuple[subprocess.Popen[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def waited(_: float) -> None:
        pytest.fail("waited for a lab that runs")

    process, name = lab()
    with monkeypatch.context() as patched:
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=waited)
        patched.setattr(wait, "time", clock)
        sweep()
    assert (STATE / name).exists()
    process.kill()
    process.wait()
    sweep()
    assert not (STATE / name).exists()


@pytest.mark.parametrize("ready", [True, False])
def test_ctrl_c_cleans_up_at_once(
    lab: Callable[[], tuple[subprocess.Popen[str], str]], ready: bool
) -> None:
    process, name = lab()
    assert process.stdout
    if ready:
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(20)
    assert processes_of(name) == []
    assert not (STATE / name).exists()
    assert cgroups_of(name) == []


def test_a_cgroup_whose_lab_is_forgotten_is_swept() -> None:
    with Namespaces() as namespaces:
        namespaces.run("mkdir", "-p", "/sys/fs/cgroup/hadeb-lab-forgotten/ha1-1")
    with Namespaces() as namespaces:
        names = namespaces.run("ls", "/sys/fs/cgroup").stdout.split()
        assert namespaces.cgroup in names
        assert "hadeb-lab-forgotten" not in names


def test_a_sweep_tolerates_a_cgroup_that_another_sweep_removes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other sweep is the quicker one: ours finds that nothing is left of what it has begun.
    quicker = tmp_path / "find"
    quicker.write_text(f'#!/bin/sh\n{shutil.which("find")} "$@"\nexit 1\n', "utf-8")
    quicker.chmod(0o755)
    state = STATE / "0verlap0"
    with Namespaces() as namespaces:
        namespaces.run("mkdir", "-p", f"/sys/fs/cgroup/{registry.cgroup_of(state)}/ha1-1")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        registry.remove(state)
        assert (
            registry.cgroup_of(state) not in namespaces.run("ls", "/sys/fs/cgroup").stdout.split()
        )


def test_the_sweep_leaves_a_living_lab_alone() -> None:
    with Namespaces() as first:
        with Namespaces():
            pass
        assert first.state.is_dir()
        assert first.cgroup in first.run("ls", "/sys/fs/cgroup").stdout.split()
        assert first.run("true").returncode == 0


def can_connect(node: Node, host: str, port: int) -> bool:
    probe = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
    return node.exec("python3", "-c", probe, host, str(port), check=False).returncode == 0


def test_two_labs_with_the_same_addresses_do_not_meet(machine: Node, suite: Suite) -> None:
    with boot_machine(suite, name="other") as other:
        assert other.ip == machine.ip
        assert other.exec("uname", "-n").stdout == "other\n"
        assert machine.exec("uname", "-n").stdout == "ha1\n"
        other.sh("systemd-run --quiet python3 -m http.server 7777")
        wait_until(lambda: can_connect(other, other.ip, 7777), "the other node serves nothing")
        assert not can_connect(machine, machine.ip, 7777)


def test_a_node_has_no_way_out(machine: Node) -> None:
    assert machine.sh("ip route show default; ip -6 route show default").stdout == ""
    with socket.create_server(("0.0.0.0", 0)) as here:
        port = here.getsockname()[1]
        assert not can_connect(machine, "127.0.0.1", port)
        assert not can_connect(machine, "172.16.0.254", port)


def test_the_machine_sees_nothing_of_a_labs_network(machine: Node) -> None:
    assert machine.is_on
    links = os.listdir("/sys/class/net")
    assert [name for name in links if re.match(r"lab0|v[be]-", name)] == []
