# SPDX-License-Identifier: Apache-2.0
"""The namespaces a lab lives in: mount, pid and network namespaces that end with one process.

That process, the holder, reads a pipe whose other end only this Python process has. Whether hadeb
exits, is interrupted by Ctrl-C or killed with SIGKILL, the pipe closes and the holder ends. The
kernel then kills everything in its pid namespace, and drops the mounts, links and addresses of the
other two. Only an empty directory and empty cgroups can stay, and the next start sweeps them.

Persistent namespaces need no pipe: the holder stays until `attach` and `close` end it.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hadeb.errors import HadebError, UsageError
from hadeb.files.lock import acquire
from hadeb.interrupt import clean_up_after, deferred
from hadeb.lab.host import registry
from hadeb.lab.host.failure import cannot_hold
from hadeb.lab.host.processes import children_of, started_at
from hadeb.lab.host.wait import wait_until
from hadeb.run import Completed, run, start

BRIDGE = "lab0"
# The socket that cuts power, in a lab's state and in its nodes' /run.
POWER = "lab-power"
RECORD = "lab.json"
_SCRIPT = Path(__file__).with_name("namespaces.sh")
# Seconds that a process may take to end before it is killed.
_PATIENCE = 10.0


class Namespaces:
    """One lab's namespaces, with a bridge in them; a context manager.

    `addresses` are the bridge's own, with prefix lengths: the lab's clients connect from them.
    """

    def __init__(self, addresses: Sequence[str] = (), *, id: str = "") -> None:
        self.id = id or secrets.token_hex(4)
        self.state = registry.STATE / self.id
        self.nodes = self.state / "nodes"
        self.cgroup = registry.cgroup_of(self.state)
        self._addresses = tuple(addresses)
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._holder_pid = 0
        self._children: list[subprocess.Popen[bytes]] = []

    @classmethod
    def attach(cls, id: str) -> Self:
        """The namespaces of a persistent lab; UsageError if there is no lab of that name."""
        if id not in registry.persistent():
            raise UsageError(f"there is no lab {id}", hint=_which())
        namespaces = cls(id=id)
        numbers = (namespaces.state / registry.PERSISTENT).read_text(encoding="utf-8").split()
        namespaces._holder_pid, namespaces._pid = map(int, numbers)
        return namespaces

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            clean_up_after(error, self.close)

    def open(self) -> None:
        """Sweep what dead labs left, then make the namespaces."""
        registry.require_host()
        lock = -1
        try:
            with registry.registry():
                registry.sweep_dead()
                with deferred():
                    self.state.mkdir()
                    (self.state / POWER).touch()
                    owner = f"{os.getpid()} {started_at(os.getpid())}"
                    (self.state / registry.OWNER).write_text(owner, encoding="utf-8")
                    lock = acquire(self.state / registry.LOCK)
            self._hold(lock)
        except BaseException as error:
            if lock >= 0:
                os.close(lock)
            clean_up_after(error, self.close)
            raise
        os.close(lock)

    def _hold(self, lock: int) -> None:
        with deferred():
            # The holder inherits the lock: it is free exactly when the lab is dead.
            self._holder = start(
                [
                    *("unshare", "--mount", "--propagation=private", "--net", "--pid"),
                    *("--fork", "--kill-child", "--mount-proc", "--"),
                    *("sh", str(_SCRIPT), "hold", str(self.state), self.cgroup),
                    *self._addresses,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[lock],
            )
        assert self._holder.stdout
        assert self._holder.stderr
        if (word := self._holder.stdout.readline()) != b"ready\n":
            errors = self._holder.stderr.read().decode(errors="replace")
            raise cannot_hold(word.decode(errors="replace"), errors)
        (self._pid,) = children_of(self._holder.pid)

    def record(self, data: object) -> None:
        """Record as JSON what another process needs to know about a persistent lab."""
        (self.state / RECORD).write_text(json.dumps(data), encoding="utf-8")

    def persist(self) -> None:
        """Keep the namespaces when this process ends; `close` still ends them, here or later."""
        assert self._holder
        assert self._holder.stdin
        assert self._holder.stdout
        with deferred():
            half = self.state / f"{registry.PERSISTENT}.new"
            half.write_text(f"{self._holder.pid} {self._pid}\n", encoding="utf-8")
            half.rename(self.state / registry.PERSISTENT)
            try:
                self._holder.stdin.write(b"persist\n")
                self._holder.stdin.flush()
                word = self._holder.stdout.readline()
            except BrokenPipeError:
                word = b""
            if word != b"persistent\n":
                raise HadebError("the lab ended before it was ready")
            self._holder_pid, self._holder = self._holder.pid, None

    def close(self) -> None:
        """End everything in the namespaces, and remove what they left on the machine.

        Ctrl-C does not interrupt it, and closing what is closed does nothing.
        """
        with deferred():
            if self._holder_pid:
                self._end_persistent()
            holder, self._holder = self._holder, None
            self._pid = 0
            if holder is not None:
                _end(holder)
            # They are dead by now, and have to be reaped.
            while self._children:
                _end(self._children.pop())
            if self.state.exists():
                with registry.registry():
                    registry.remove(self.state)

    def _end_persistent(self) -> None:
        def is_dead() -> bool:
            # While the lock is held, the PID is the holder's: the kernel cannot have reused it.
            if registry.is_dead(self.state):
                return True
            with suppress(ProcessLookupError):
                os.kill(self._holder_pid, signal.SIGKILL)
            return False

        if not wait_until(is_dead, timeout=10, pause=0.02):
            raise HadebError(f"the lab {self.id} does not end")
        self._holder_pid = 0

    @property
    def inside(self) -> tuple[str, ...]:
        """The words to put before a command so that it runs in the namespaces."""
        if not self._pid:
            raise HadebError("the lab is not open")
        # Entering a mount namespace alone would leave a chroot that hadeb runs in: --root does not.
        return (
            *("nsenter", f"--target={self._pid}", "--mount", "--net", "--pid"),
            *("--root", "--wd", "--"),
        )

    def run(self, *argv: str, timeout: float = 60.0, check: bool = True) -> Completed:
        """Run a program in the namespaces, next to the nodes, as `hadeb.run.run` does."""
        shown = f"in the lab: {shlex.join(argv)}"
        return run([*self.inside, *argv], timeout=timeout, check=check, shown=shown)

    def start(
        self, *argv: str, stdin: int = subprocess.DEVNULL, stdout: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program that ends with the namespaces; `stdout` also gets its errors."""
        with deferred():
            child = start(
                [*self.inside, *argv], stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT
            )
            self._children.append(child)
        return child


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close what connects a process with hadeb, which ends the holder, and wait for its end."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            # What it did not read any more is of no use.
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _which() -> str:
    names = ", ".join(registry.persistent())
    return f"there are {names}" if names else "start one with: hadeb lab up"
