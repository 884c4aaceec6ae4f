# SPDX-License-Identifier: Apache-2.0
"""What a lab can leave on the machine, and how to find it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hadeb.lab.host import registry
from hadeb.lab.host.namespaces import Namespaces
from support.command import ENVIRONMENT, Outcome, run_hadeb

# hadeb with a private registry: the tests must not touch labs that you have up.
_OWN = """
import sys
# First: it handles Ctrl-C from then on.
from hadeb.__main__ import main
from pathlib import Path
from hadeb.lab.host import registry
registry.STATE = Path(sys.argv.pop(1))
main()
"""


def comes(condition: Callable[[], bool]) -> bool:
    """Whether something holds within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def wait_until(condition: Callable[[], bool], what: str) -> None:
    assert comes(condition), what


def processes_of(lab: str) -> list[str]:
    """The command lines that name a lab, and everything in a mount namespace that has its disk."""
    leftovers = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                command = (directory / "cmdline").read_bytes()
                mounts = (directory / "mounts").read_bytes()
            except OSError:
                continue
            if lab.encode() in command + mounts:
                leftovers.append(f"{directory.name}: {command!r}")
    return leftovers


def cgroups_of(lab: str) -> list[Path]:
    groups = [
        Path(line.split()[1])
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    ]
    return [cgroup for group in groups for cgroup in group.glob(f"hadeb-lab-{lab}")]


def assert_nothing_is_left(lab: str) -> None:
    wait_until(lambda: not processes_of(lab), f"processes of {lab}: {processes_of(lab)}")
    # A process that is just ending names nothing any more, and may yet hold the lab's lock.
    wait_until(lambda: a_start_sweeps(lab), f"the state or a cgroup of {lab}")


def a_start_sweeps(lab: str) -> bool:
    """Whether the next start has taken away what a killed one could not."""
    with Namespaces():
        return not (registry.STATE / lab).exists() and cgroups_of(lab) == []


def assert_is_gone(lab: str) -> None:
    """What ended a lab has taken all of it away, and leaves nothing to the next start."""
    assert processes_of(lab) == []
    assert cgroups_of(lab) == []
    assert not (registry.STATE / lab).exists()


def hadeb_of(registry: Path) -> tuple[str, ...]:
    """The command, for labs that it lists in a directory of their own."""
    return (sys.executable, "-c", _OWN, str(registry))


@contextmanager
def ended_with_the_tests(registry: Path) -> Iterator[None]:
    """End all labs of the registry with the block, or with the tests if those are killed."""
    script = 'read -r _; exec "$PYTHON" -c "$OWN" "$REGISTRY" lab down --all'
    variables = {"PYTHON": sys.executable, "OWN": _OWN, "REGISTRY": str(registry)}
    guard = subprocess.Popen(
        ["sh", "-c", script],
        env={**ENVIRONMENT, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()


def call(
    registry: Path,
    *arguments: str | Path,
    directory: Path,
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Run hadeb with a private registry of labs and the existing images."""
    return run_hadeb(
        *arguments,
        directory=directory,
        command=hadeb_of(registry),
        environment=with_images(environment or {}),
        timeout=300,
    )


def with_images(environment: dict[str, str]) -> dict[str, str]:
    """An environment in which the tester's images are found."""
    chosen = os.environ.get("HADEB_CACHE")
    return {**environment, **({"HADEB_CACHE": chosen} if chosen else {})}


def kill_after(
    registry: Path, seconds: float, arguments: Sequence[str | Path], *, directory: Path
) -> str:
    """Start hadeb, and kill -9 it after a time; what is left once `hadeb lab down` has run."""
    process = _start(registry, arguments, directory)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    labs = [path.name for path in registry.iterdir()]
    down = call(registry, "lab", "down", "--all", directory=directory)
    left = _left(registry, labs)
    return "\n".join([*left, *([down.stderr] if down.code else [])])


def interrupt_after(
    registry: Path,
    seconds: float,
    arguments: Sequence[str | Path],
    *,
    directory: Path,
    again: float | None = None,
) -> str:
    """Start hadeb, and interrupt it after a time; what is wrong then, without any `lab down`.

    `again` is after how many more seconds Ctrl-C is pressed once more. A command that had ended, or
    brought its lab up, by then is right if it says so by its exit code. A `lab down` may leave its
    lab as it was.
    """
    before = {path.name for path in registry.iterdir()}
    process = _start(registry, arguments, directory)
    time.sleep(seconds)
    ended = process.poll() is not None
    process.send_signal(signal.SIGINT)
    if again is not None:
        time.sleep(again)
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    text = errors.decode(errors="replace")
    left = [path.name for path in registry.iterdir()]
    whole = _whole(registry, directory)
    # Before hadeb's own code runs, Python ends by the signal, or with a fatal error of its own.
    early = "hadeb" not in text and "bug:" not in text
    wrong = [line for line in text.splitlines() if line.startswith(("bug:", "Traceback"))]
    codes = {130, -signal.SIGINT, 1} if early and seconds < _PYTHON else {130}
    if ended or process.returncode in {0, 4}:
        # The lab of `up` is up then, and that of `down` is gone.
        codes = {0, 4}
        expected = set(whole) if arguments[1] == "up" else set()
    else:
        expected = set(whole) & before
    if early:
        wrong = []
    if process.returncode not in codes:
        wrong.append(f"exit code {process.returncode}: {text[-500:]}")
    wrong += [f"left: {name}" for name in left if name not in expected]
    call(registry, "lab", "down", "--all", directory=directory)
    return "\n".join([*wrong, *_left(registry, left)])


# Seconds that Python may take to start on a busy machine.
_PYTHON = 0.5


def _start(
    registry: Path, arguments: Sequence[str | Path], directory: Path
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*hadeb_of(registry), *map(str, arguments)],
        cwd=directory,
        env=with_images(ENVIRONMENT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _whole(registry: Path, directory: Path) -> list[str]:
    """The labs that are up, with all their nodes on."""
    done = call(registry, "lab", "status", "--all", "--json", directory=directory)
    labs = json.loads(done.stdout or "[]")
    return [lab["id"] for lab in labs if all(node["on"] for node in lab["nodes"])]


def _left(registry: Path, labs: Sequence[str]) -> list[str]:
    left = [path.name for path in registry.iterdir()]
    # What the killed one had entered the lab with ends when its child does, a moment later.
    if not comes(lambda: not processes_of(str(registry))):
        left += processes_of(str(registry))
    return left + [str(group) for lab in labs for group in cgroups_of(lab)]
