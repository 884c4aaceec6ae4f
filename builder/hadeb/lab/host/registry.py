# SPDX-License-Identifier: Apache-2.0
"""The labs on this machine: whether it can run one, which there are, and what dead ones left."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from hadeb.debian.programs import LAB, package_of
from hadeb.errors import CommandFailed, ToolMissing
from hadeb.files.lock import acquire, is_free, locked_directory
from hadeb.interrupt import cleanup, deferred
from hadeb.lab.host.processes import ForeignProcess
from hadeb.lab.host.wait import wait_until
from hadeb.run import run

# A directory for each lab.
STATE = Path("/run/hadeb/lab")
# In a lab's directory: the lock that the lab's processes hold.
LOCK = "lock"
# Names the hadeb that created it, by PID and start time. A lock would not do: a process that hadeb
# is just starting would inherit it.
OWNER = "owner"
# Exists once the lab no longer ends with its owner.
PERSISTENT = "persistent"
# Seconds that the processes of a killed lab may take to end.
_DYING = 10.0
_SCRIPT = Path(__file__).with_name("namespaces.sh")


def require_host() -> None:
    """Raise ToolMissing if this machine cannot run a lab; the hint is the command that helps."""
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
    """Hold the lock on the list of labs, so that no other hadeb sweeps a lab that is starting."""
    STATE.mkdir(parents=True, exist_ok=True)
    with locked_directory(STATE):
        yield


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for a lab's packages; if this process is killed, the next sweep removes it.

    Raises ToolMissing if this machine cannot run a lab.
    """
    require_host()
    directory = STATE / f"{secrets.token_hex(4)}-scratch"
    with ExitStack() as stack:
        with registry(), deferred():
            directory.mkdir()
            stack.callback(os.close, acquire(directory / LOCK))
            stack.enter_context(cleanup(partial(shutil.rmtree, directory, ignore_errors=True)))
        yield directory


def persistent() -> list[str]:
    """The names of the labs that stay up until they are ended, oldest first."""
    if not STATE.is_dir():
        return []
    states = [state for state in STATE.iterdir() if (state / PERSISTENT).exists()]
    alive = [state for state in states if not is_dead(state)]
    return [state.name for state in sorted(alive, key=lambda state: state.stat().st_ctime)]


def sweep() -> None:
    """Remove what killed labs left; waits for those whose last processes are still ending."""

    def is_done() -> bool:
        with registry():
            sweep_dead()
            return not any(_is_dying(state) for state in STATE.iterdir())

    wait_until(is_done, timeout=_DYING, pause=0.02)


def sweep_dead() -> None:
    """Remove what dead labs left; the caller holds the registry."""
    for state in STATE.iterdir():
        if state.is_dir() and is_dead(state):
            # If a process of it is still ending, the next sweep removes it: no lab waits for that.
            with suppress(CommandFailed):
                remove(state)


def is_dead(state: Path) -> bool:
    """Whether all processes of a lab have ended."""
    return is_free(state / LOCK)


def _is_dying(state: Path) -> bool:
    """Whether a lab is ending because its owner is gone: some of it is still alive."""
    owner = state / OWNER
    if not owner.exists() or (state / PERSISTENT).exists():
        return False
    numbers = owner.read_text(encoding="utf-8").split()
    return not numbers or ForeignProcess(*map(int, numbers)).poll() is not None


def remove(state: Path) -> None:
    """Remove a dead lab's cgroups and directory; CommandFailed if processes are still ending."""
    command = ["sh", str(_SCRIPT), "sweep", cgroup_of(state)]
    try:
        run(["unshare", "--mount", "--propagation=private", "--", *command])
    except CommandFailed:
        # A machine that cannot run a lab cannot mount cgroups either, and has none of it to remove.
        if _has_cgroup(state):
            raise
    shutil.rmtree(state, ignore_errors=True)


def _has_cgroup(state: Path) -> bool:
    """Whether a mounted hierarchy of control groups shows that of a lab."""
    mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines()
    places = [words[1] for line in mounts if (words := line.split())[2] == "cgroup2"]
    return any(Path(place, cgroup_of(state)).exists() for place in places)


def cgroup_of(state: Path) -> str:
    """The name of a lab's cgroup."""
    return f"hadeb-lab-{state.name}"
