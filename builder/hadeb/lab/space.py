# SPDX-License-Identifier: Apache-2.0
"""The space a lab lives in: mount, pid and network namespaces that end with one process.

That process reads a pipe whose other end only this Python process holds. Whether hadeb leaves in
order, by Ctrl-C or by kill -9, the pipe closes, the process ends, and the kernel ends all that
lives in its pid namespace and drops the mounts, links and addresses with the other two. Only two
things can stay, an empty directory and empty cgroups, and the next start sweeps them.

A space that is kept needs nobody any more: the process stays until `attach` and `close` end it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hadeb.errors import CommandFailed, HadebError, ToolMissing, UsageError
from hadeb.lab.lockfile import held, is_free
from hadeb.run import Completed, run, start
from hadeb.tools import LAB, package_of

STATE = Path("/run/hadeb/lab")
BRIDGE = "lab0"
# The socket that cuts power, in a lab's state and in its nodes' /run.
POWER = "lab-power"
RECORD = "lab.json"
# Seconds that what a killed lab leaves may take to end.
_DYING = 3.0
_KEPT = "kept"
# Held by a lab's processes.
_LOCK = "lock"
# Names the hadeb that made a lab: no lock, which a process that it is just starting would hold too.
_OWNER = "owner"
_SCRIPT = Path(__file__).with_name("space.sh")


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


class Space:
    """One lab's namespaces, with a bridge in them; a context manager.

    `addresses` are the bridge's own, with prefix lengths: from there the lab's clients ask.
    """

    def __init__(self, addresses: Sequence[str] = (), *, id: str = "") -> None:
        self.id = id or secrets.token_hex(4)
        self.state = STATE / self.id
        self.nodes = self.state / "nodes"
        self.cgroup = _cgroup(self.state)
        self._addresses = tuple(addresses)
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._keeper = 0
        self._children: list[subprocess.Popen[bytes]] = []

    @classmethod
    def attach(cls, id: str) -> Self:
        """A space that was kept, by whoever; UsageError where there is none of that name."""
        if id not in kept():
            raise UsageError(f"there is no lab {id}", hint=_which())
        space = cls(id=id)
        numbers = (space.state / _KEPT).read_text(encoding="utf-8").split()
        space._keeper, space._pid = map(int, numbers)
        return space

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Sweep what dead labs left, then make the namespaces."""
        require_host()
        with _registry():
            _sweep()
            self.state.mkdir()
            (self.state / POWER).touch()
            (self.state / _OWNER).write_text(_identity(os.getpid()), encoding="utf-8")
            lock = held(self.state / _LOCK)
        try:
            self._hold(lock)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(lock)

    def _hold(self, lock: int) -> None:
        # The holder inherits the lock: it is free exactly when the lab is dead.
        self._holder = start(
            [
                *("unshare", "--mount", "--propagation=private", "--net", "--pid"),
                *("--fork", "--kill-child", "--mount-proc", "--"),
                *("sh", str(_SCRIPT), "hold", str(self.state), self.cgroup, *self._addresses),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[lock],
        )
        assert self._holder.stdout
        assert self._holder.stderr
        if self._holder.stdout.readline() != b"ready\n":
            said = self._holder.stderr.read().decode(errors="replace")
            raise CommandFailed(("unshare",), self._holder.wait(), stderr=said)
        (self._pid,) = children_of(self._holder.pid)

    def record(self, told: object) -> None:
        """Write down what another process has to know of a lab that is kept."""
        (self.state / RECORD).write_text(json.dumps(told), encoding="utf-8")

    def keep(self) -> None:
        """Let the space stay when this process ends; it is to be closed by way of `attach`."""
        assert self._holder
        assert self._holder.stdin
        assert self._holder.stdout
        half = self.state / f"{_KEPT}.new"
        half.write_text(f"{self._holder.pid} {self._pid}\n", encoding="utf-8")
        half.rename(self.state / _KEPT)
        self._holder.stdin.write(b"keep\n")
        self._holder.stdin.flush()
        if self._holder.stdout.readline() != b"kept\n":
            raise HadebError("the lab ended before it was ready")
        self._keeper, self._holder = self._holder.pid, None

    def close(self) -> None:
        """End everything in the space; nothing of it stays on the machine."""
        if self._keeper:
            self._end_kept()
        holder, self._holder = self._holder, None
        self._pid = 0
        if holder is not None:
            for pipe in (holder.stdin, holder.stdout, holder.stderr):
                if pipe:
                    pipe.close()
            try:
                holder.wait(10)
            except subprocess.TimeoutExpired:
                holder.kill()
                holder.wait()
        # Dead by now; who starts a process also takes its end.
        for child in self._children:
            child.communicate()
        with _registry():
            _remove(self.state)

    def _end_kept(self) -> None:
        # As long as the lock is held, the number is the holder's and nobody else's.
        deadline = time.monotonic() + 10
        while not _is_dead(self.state):
            with suppress(ProcessLookupError):
                os.kill(self._keeper, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise HadebError(f"the lab {self.id} does not end")
            time.sleep(0.02)
        self._keeper = 0

    @property
    def inside(self) -> tuple[str, ...]:
        """What to put before a command so that it runs in the space."""
        if not self._pid:
            raise HadebError("the lab is not open")
        # A mount namespace alone would lead out of a chroot that hadeb runs in: --root stays in.
        return (
            *("nsenter", f"--target={self._pid}", "--mount", "--net", "--pid"),
            *("--root", "--wd", "--"),
        )

    def run(self, *argv: str, timeout: float = 60.0, check: bool = True) -> Completed:
        """Run a program in the space, beside the nodes, as `hadeb.run.run` does."""
        return run([*self.inside, *argv], timeout=timeout, check=check)

    def start(
        self, *argv: str, stdin: int = subprocess.DEVNULL, stdout: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program in the space, errors and output together; it ends with the space."""
        child = start([*self.inside, *argv], stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT)
        self._children.append(child)
        return child


def children_of(pid: int) -> list[int]:
    """The processes whose parent is `pid`, read from /proc."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # The name is in parentheses and may hold anything, parentheses too.
            if int(stat.rpartition(b")")[2].split()[1]) == pid:
                found.append(int(entry))
    return found


@contextmanager
def _registry() -> Iterator[None]:
    """Hold the lock over the list of labs, so that nobody sweeps one that is just beginning."""
    STATE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(STATE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for what a lab is made of; where this process is killed, the next sweep has it.

    Raises ToolMissing where this machine cannot hold a lab anyway.
    """
    require_host()
    directory = STATE / f"{secrets.token_hex(4)}-scratch"
    with _registry():
        directory.mkdir()
        lock = held(directory / _LOCK)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def kept() -> list[str]:
    """The labs that stay until somebody ends them, oldest first."""
    if not STATE.is_dir():
        return []
    found = [state for state in STATE.iterdir() if (state / _KEPT).exists()]
    alive = [state for state in found if not _is_dead(state)]
    return [state.name for state in sorted(alive, key=lambda state: state.stat().st_ctime)]


def sweep() -> None:
    """Remove what labs left whose process was killed, one that still dies after its end, too."""
    deadline = time.monotonic() + _DYING
    while True:
        with _registry():
            _sweep()
            dying = [state for state in STATE.iterdir() if _is_dying(state)]
        if not dying or time.monotonic() > deadline:
            return
        time.sleep(0.02)


def _which() -> str:
    names = ", ".join(kept())
    return f"there are {names}" if names else "start one with: hadeb lab up"


def _sweep() -> None:
    for state in STATE.iterdir():
        if state.is_dir() and _is_dead(state):
            # Where something of it still dies, the next one sweeps; nobody's lab waits for that.
            with suppress(CommandFailed):
                _remove(state)


def _is_dead(state: Path) -> bool:
    return is_free(state / _LOCK)


def _is_dying(state: Path) -> bool:
    """Whether nobody is left who would end a lab that still lives, or of which something does."""
    owner = state / _OWNER
    if not owner.exists() or (state / _KEPT).exists():
        return False
    identity = owner.read_text(encoding="utf-8")
    return not identity or _identity(int(identity.split()[0])) != identity


def _identity(pid: int) -> str:
    """What no process before it has, and none after it: PID and start (proc(5)); empty if ended."""
    try:
        stat = Path("/proc", str(pid), "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # From the state on, which is the third: the name before it may hold anything.
    fields = stat.rpartition(b")")[2].decode().split()
    return "" if fields[0] in ("Z", "X") else f"{pid} {fields[19]}"


def _remove(state: Path) -> None:
    sweep = ["sh", str(_SCRIPT), "sweep", _cgroup(state)]
    run(["unshare", "--mount", "--propagation=private", "--", *sweep])
    shutil.rmtree(state, ignore_errors=True)


def _cgroup(state: Path) -> str:
    return f"hadeb-lab-{state.name}"
