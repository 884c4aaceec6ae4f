# SPDX-License-Identifier: Apache-2.0
"""The space a lab lives in: mount, pid and network namespaces that end with one process.

That process reads a pipe whose other end only this Python process holds. Whether hadeb leaves in
order, by Ctrl-C or by kill -9, the pipe closes, the process ends, and the kernel ends all that
lives in its pid namespace and drops the mounts, links and addresses with the other two. Only two
things can stay, an empty directory and empty cgroups, and the next start sweeps them.

A space that is kept needs nobody any more: the process stays until `attach` and `close` end it.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hadeb.errors import CommandFailed, HadebError, UsageError
from hadeb.files.lock import acquire
from hadeb.lab.host import registry
from hadeb.lab.host.processes import begun_at, children_of
from hadeb.run import Completed, run, start

BRIDGE = "lab0"
# The socket that cuts power, in a lab's state and in its nodes' /run.
POWER = "lab-power"
RECORD = "lab.json"
_SCRIPT = Path(__file__).with_name("namespaces.sh")


class Space:
    """One lab's namespaces, with a bridge in them; a context manager.

    `addresses` are the bridge's own, with prefix lengths: from there the lab's clients ask.
    """

    def __init__(self, addresses: Sequence[str] = (), *, id: str = "") -> None:
        self.id = id or secrets.token_hex(4)
        self.state = registry.STATE / self.id
        self.nodes = self.state / "nodes"
        self.cgroup = registry.cgroup_of(self.state)
        self._addresses = tuple(addresses)
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._keeper = 0
        self._children: list[subprocess.Popen[bytes]] = []

    @classmethod
    def attach(cls, id: str) -> Self:
        """A space that was kept, by whoever; UsageError where there is none of that name."""
        if id not in registry.kept():
            raise UsageError(f"there is no lab {id}", hint=_which())
        space = cls(id=id)
        numbers = (space.state / registry.KEPT).read_text(encoding="utf-8").split()
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
        registry.require_host()
        with registry.registry():
            registry.sweep_dead()
            self.state.mkdir()
            (self.state / POWER).touch()
            owner = f"{os.getpid()} {begun_at(os.getpid())}"
            (self.state / registry.OWNER).write_text(owner, encoding="utf-8")
            lock = acquire(self.state / registry.LOCK)
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
        half = self.state / f"{registry.KEPT}.new"
        half.write_text(f"{self._holder.pid} {self._pid}\n", encoding="utf-8")
        half.rename(self.state / registry.KEPT)
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
        with registry.registry():
            registry.remove(self.state)

    def _end_kept(self) -> None:
        # As long as the lock is held, the number is the holder's and nobody else's.
        deadline = time.monotonic() + 10
        while not registry.is_dead(self.state):
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


def _which() -> str:
    names = ", ".join(registry.kept())
    return f"there are {names}" if names else "start one with: hadeb lab up"
