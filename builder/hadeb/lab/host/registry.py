# SPDX-License-Identifier: Apache-2.0
"""The labs on this machine: whether it can hold one, which there are, and what dead ones left."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hadeb.debian.programs import LAB, package_of
from hadeb.errors import CommandFailed, ToolMissing
from hadeb.files.lock import acquire, is_free, locked_directory
from hadeb.lab.host.processes import Foreign
from hadeb.run import run

# A directory for each lab.
STATE = Path("/run/hadeb/lab")
# In a lab's directory: held by the lab's processes.
LOCK = "lock"
# Names the hadeb that made it, by PID and start: no lock, which a process that it is just starting
# would hold too.
OWNER = "owner"
# There from when the lab no longer ends with its owner.
KEPT = "kept"
# Seconds that what a killed lab leaves may take to end.
_DYING = 10.0
_SCRIPT = Path(__file__).with_name("namespaces.sh")


def require_host() -> None:
    """Raise ToolMissing where this machine cannot hold a lab, with the command that helps."""
    if os.geteuid() != 0:
        raise ToolMissing("the lab needs root", hint="run the same command with sudo")
    missing = sorted({package_of(program) for program in LAB if not shutil.which(program)})
    if missing:
        raise ToolMissing(
            f"the lab needs {', '.join(missing)}",
            hint=f"sudo apt-get install {' '.join(missing)}",
        )


@contextmanager
def registry() -> Iterator[None]:
    """Hold the lock over the list of labs, so that nobody sweeps one that is just beginning."""
    STATE.mkdir(parents=True, exist_ok=True)
    with locked_directory(STATE):
        yield


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for what a lab is made of; where this process is killed, the next sweep has it.

    Raises ToolMissing where this machine cannot hold a lab anyway.
    """
    require_host()
    directory = STATE / f"{secrets.token_hex(4)}-scratch"
    with registry():
        directory.mkdir()
        lock = acquire(directory / LOCK)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def kept() -> list[str]:
    """The labs that stay until somebody ends them, oldest first."""
    if not STATE.is_dir():
        return []
    found = [state for state in STATE.iterdir() if (state / KEPT).exists()]
    alive = [state for state in found if not is_dead(state)]
    return [state.name for state in sorted(alive, key=lambda state: state.stat().st_ctime)]


def sweep() -> None:
    """Remove what labs left whose process was killed, one that still dies after its end, too."""
    deadline = time.monotonic() + _DYING
    while True:
        with registry():
            sweep_dead()
            dying = [state for state in STATE.iterdir() if _is_dying(state)]
        if not dying or time.monotonic() > deadline:
            return
        time.sleep(0.02)


def sweep_dead() -> None:
    """Remove what dead labs left; for whoever holds the registry."""
    for state in STATE.iterdir():
        if state.is_dir() and is_dead(state):
            # Where something of it still dies, the next one sweeps; nobody's lab waits for that.
            with suppress(CommandFailed):
                remove(state)


def is_dead(state: Path) -> bool:
    """Whether no process of a lab is left."""
    return is_free(state / LOCK)


def _is_dying(state: Path) -> bool:
    """Whether nobody is left who would end a lab that still lives, or of which something does."""
    owner = state / OWNER
    if not owner.exists() or (state / KEPT).exists():
        return False
    numbers = owner.read_text(encoding="utf-8").split()
    return not numbers or Foreign(*map(int, numbers)).poll() is not None


def remove(state: Path) -> None:
    """Remove the cgroups and the directory of a dead lab; CommandFailed where one still dies."""
    command = ["sh", str(_SCRIPT), "sweep", cgroup_of(state)]
    run(["unshare", "--mount", "--propagation=private", "--", *command])
    shutil.rmtree(state, ignore_errors=True)


def cgroup_of(state: Path) -> str:
    """The name of a lab's cgroup."""
    return f"hadeb-lab-{state.name}"
