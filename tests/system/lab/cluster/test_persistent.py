# SPDX-License-Identifier: Apache-2.0
"""A persistent lab outlives its command, serves later commands, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.lab.host import registry as lab_registry
from support.command import Outcome, call_hadeb
from support.lab_leftovers import (
    assert_is_gone,
    call,
    ended_with_the_tests,
    interrupt_after,
    kill_after,
    processes_of,
)
from targets.lab_kills import DOWN, RUN, UP, make_ready, moments

pytestmark = pytest.mark.usefixtures("as_root")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private registry of labs, which this process uses as well."""
    directory = tmp_path_factory.mktemp("labs")
    with pytest.MonkeyPatch.context() as patch, ended_with_the_tests(directory):
        patch.setattr(lab_registry, "STATE", directory)
        yield directory


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory without a bundle."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def lab(registry: Path, work: Path) -> str:
    """The lab, fully up, created by an earlier command; recreated if a test harmed it."""
    running = json.loads(call_hadeb("lab", "status", "--json", directory=work).stdout)
    if len(running) == 1 and all(node["on"] for node in running[0]["nodes"]):
        return str(running[0]["id"])
    call(registry, "lab", "down", directory=work)
    done = up(registry, work)
    assert done.code == 0, done.stderr
    return done.stdout.strip()


def up(registry: Path, work: Path) -> Outcome:
    return call(registry, "lab", "up", "--bare", "--nodes", "2", directory=work)


def test_up_prints_the_labs_name_alone_and_says_what_to_do_next(lab: str) -> None:
    assert lab.isalnum()
    assert processes_of(lab)


def test_status_shows_the_lab_with_its_nodes_on(lab: str, work: Path) -> None:
    (status,) = json.loads(call_hadeb("lab", "status", "--json", directory=work).stdout)
    assert (status["id"], status["suite"]) == (lab, "bookworm")
    assert [(node["name"], node["on"]) for node in status["nodes"]] == [
        ("ha1", True),
        ("ha2", True),
    ]
    shown = call_hadeb("lab", "status", directory=work)
    assert shown.stdout == f"{lab}  bookworm  ha1 on  ha2 on\n"


def test_looking_again_and_again_leaves_no_descriptor_open(lab: str, work: Path) -> None:
    call_hadeb("lab", "status", directory=work)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        call_hadeb("lab", "status", directory=work)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_exec_gives_the_commands_output_and_its_exit_code(
    lab: str, registry: Path, work: Path
) -> None:
    done = call(
        registry, "lab", "exec", "ha2", "--", "sh", "-c", "uname -n; exit 7", directory=work
    )
    assert (done.code, done.stdout) == (7, "ha2\n")
    done = call(
        registry, "lab", "exec", "--lab", lab, "ha1", "--", "crm_node", "-n", directory=work
    )
    assert (done.code, done.stdout) == (0, "ha1\n")


def test_the_cluster_works_when_its_command_has_long_ended(
    lab: str, registry: Path, work: Path
) -> None:
    argv = ("crm_mon", "--one-shot", "--output-as=text")
    done = call(registry, "lab", "exec", "ha1", "--", *argv, directory=work)
    assert "Online: [ ha1 ha2 ]" in done.stdout
    assert "partition with quorum" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence", "hint"),
    [
        (("exec", "ha9", "--", "true"), "there is no node ha9", "there are ha1, ha2"),
        (("shell", "ha9"), "there is no node ha9", "there are ha1, ha2"),
        (("exec", "--lab", "nonesuch", "ha1", "--", "true"), "there is no lab nonesuch", "LAB"),
        (("shell", "--lab", "../..", "ha1"), "there is no lab ../..", "LAB"),
        (("down", "nonesuch"), "there is no lab nonesuch", "LAB"),
    ],
)
def test_an_unknown_name_is_reported_with_the_known_ones(
    lab: str,
    registry: Path,
    work: Path,
    arguments: tuple[str, ...],
    sentence: str,
    hint: str,
) -> None:
    done = call(registry, "lab", *arguments, directory=work)
    assert (done.code, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert hint.replace("LAB", f"there are {lab}") in done.stderr


def test_several_labs_need_a_name_and_do_not_interfere(
    lab: str, registry: Path, work: Path
) -> None:
    other = up(registry, work).stdout.strip()
    done = call(registry, "lab", "exec", "ha1", "--", "true", directory=work)
    assert done.code == 2
    assert f"there are several labs: {lab}, {other}" in done.stderr
    assert "name one" in done.stderr
    for name in (lab, other):
        script = f"echo {name} >>/root/name; cat /root/name"
        argv = ("--lab", name, "ha1", "--", "sh", "-c", script)
        assert call(registry, "lab", "exec", *argv, directory=work).stdout == f"{name}\n"
    assert call_hadeb("lab", "down", other, directory=work).code == 0
    assert_is_gone(other)
    (left,) = json.loads(call_hadeb("lab", "status", "--json", directory=work).stdout)
    assert left["id"] == lab
    assert [node["on"] for node in left["nodes"]] == [True, True]


def test_down_removes_the_whole_lab(lab: str, registry: Path, work: Path) -> None:
    done = call(registry, "lab", "down", directory=work)
    assert (done.code, done.stdout, done.stderr) == (0, "", f"{lab} is down\n")
    assert_is_gone(lab)
    assert list(registry.iterdir()) == []
    assert call(registry, "lab", "down", directory=work).code == 0


def test_a_node_that_lost_its_power_is_shown_as_off(lab: str, registry: Path, work: Path) -> None:
    call(registry, "lab", "exec", "ha2", "--", "systemctl", "poweroff", directory=work)
    deadline = time.monotonic() + 60
    while "ha2 off" not in call_hadeb("lab", "status", directory=work).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    done = call(registry, "lab", "exec", "ha2", "--", "true", directory=work)
    assert (done.code, done.stdout) == (1, "")
    assert "ha2 is off" in done.stderr


def test_without_a_lab_the_command_that_starts_one_is_named(registry: Path, work: Path) -> None:
    call(registry, "lab", "down", directory=work)
    for arguments in (("exec", "ha1", "--", "true"), ("shell", "ha1"), ("down", "nonesuch")):
        done = call(registry, "lab", *arguments, directory=work)
        assert done.code == 2
        assert "start one with: hadeb lab up" in done.stderr
    done = call_hadeb("lab", "status", directory=work)
    assert (done.code, done.stdout) == (0, "")
    assert "start one with: hadeb lab up" in done.stderr
    assert call_hadeb("lab", "status", "--json", directory=work).stdout.strip() == "[]"


@pytest.mark.parametrize("seconds", list(moments(5, 1, UP)))
def test_kill_9_of_up_leaves_nothing_after_down(registry: Path, work: Path, seconds: float) -> None:
    assert kill_after(registry, seconds, UP, directory=work) == ""


@pytest.mark.parametrize("seconds", [0.4, 8.0])
def test_kill_9_of_run_leaves_nothing_after_down(
    registry: Path, work: Path, seconds: float
) -> None:
    assert kill_after(registry, seconds, RUN, directory=work) == ""


@pytest.mark.parametrize(
    ("command", "seconds", "again"),
    [(UP, 0.4, None), (UP, 1.5, 0.1), (UP, 3.0, None), (RUN, 5.0, 0.02)],
)
def test_ctrl_c_ends_with_130_and_leaves_nothing(
    registry: Path, work: Path, command: tuple[str, ...], seconds: float, again: float | None
) -> None:
    assert interrupt_after(registry, seconds, command, directory=work, again=again) == ""


def test_ctrl_c_of_down_leaves_the_lab_whole_or_gone(registry: Path, work: Path) -> None:
    make_ready(DOWN, registry, work)
    assert interrupt_after(registry, 0.2, DOWN, directory=work) == ""


@pytest.mark.parametrize("seconds", [0.08, 0.13])
def test_kill_9_of_down_leaves_nothing_after_another_down(
    registry: Path, work: Path, seconds: float
) -> None:
    make_ready(DOWN, registry, work)
    assert kill_after(registry, seconds, DOWN, directory=work) == ""
