# SPDX-License-Identifier: Apache-2.0
"""A node: Debian with systemd as PID 1, in systemd-nspawn, on an overlay of its suite's image."""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hadeb.errors import CommandFailed, HadebError
from hadeb.interrupt import clean_up_after
from hadeb.lab.host.namespaces import BRIDGE, POWER, Namespaces
from hadeb.lab.host.processes import ForeignProcess, children_of, started_at
from hadeb.lab.node.failure import boot_failed, is_frozen, no_disk
from hadeb.lab.node.networkd import networkd_files
from hadeb.lab.node.scripts import BOOT, ENVIRONMENT, LEFT, SETUP, WRITE
from hadeb.lab.node.shared import PLACE, SHARED
from hadeb.run import Completed, run


@dataclass(frozen=True, slots=True)
class Address:
    """An address on the lab's bridge with its prefix length."""

    ip: str
    prefix: int

    def __str__(self) -> str:
        return f"{self.ip}/{self.prefix}"


class Node:
    """One machine of a lab. Create it, `boot` it, `exec` in it, `cut_power`, `boot` it again.

    `addresses` are on its cable, host0; `interfaces` are more addresses there, or further
    interfaces with theirs. Its disk lives as long as the namespaces do, and survives a power cut.
    """

    def __init__(
        self,
        namespaces: Namespaces,
        name: str,
        image: Path,
        addresses: tuple[Address, ...],
        interfaces: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.name = name
        self.addresses = addresses
        self._interfaces = interfaces or {}
        self._namespaces = namespaces
        self._image = image
        self._boots = 0
        self._printed_before = 0
        self._nspawn: subprocess.Popen[bytes] | ForeignProcess | None = None
        self._leader = 0
        self._power: int | None = None

    def __del__(self) -> None:
        # A node that ends with its namespaces is never turned off.
        self._forget()

    @property
    def ip(self) -> str:
        """The node's first address."""
        return self.addresses[0].ip

    @classmethod
    def attach(cls, namespaces: Namespaces, name: str, addresses: tuple[Address, ...]) -> Self:
        """A node of a persistent lab, booted by another process of hadeb."""
        node = cls(namespaces, name, Path(), addresses)
        with suppress(FileNotFoundError, ValueError):
            nspawn, begun, node._leader = map(int, node._record.read_text("utf-8").split())
            node._nspawn = ForeignProcess(nspawn, begun)
        return node

    def create(self, *, hosts: Mapping[str, str] | None = None) -> None:
        """Mount the node's disk over the image, and write the node's own files.

        `hosts` maps names to addresses for /etc/hosts; the default is the node's own.
        """
        argv = ["sh", "-c", SETUP, "setup", str(self._image), str(self._base)]
        try:
            run([*self._namespaces.inside, *argv], shown=f"mounting the disk of {self.name}")
        except CommandFailed as error:
            raise no_disk(self._image, error) from error
        # Set, so that no boot is a first boot; from the name, so that it is the same every time.
        machine = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        self.write_offline("/etc/machine-id", f"{machine}\n")
        self.write_offline("/etc/hostname", f"{self.name}\n")
        known = {"localhost": "127.0.0.1", **(hosts or {self.name: self.ip})}
        self.write_offline("/etc/hosts", "".join(f"{ip} {name}\n" for name, ip in known.items()))
        own = [str(address) for address in self.addresses]
        for path, content in networkd_files(own, self._interfaces).items():
            self.write_offline(f"/etc/systemd/network/{path}", content)

    def write_offline(
        self, path: str, content: str | bytes, *, mode: int = 0o644, owner: str = ""
    ) -> None:
        """Write a file on the node's disk while the node is off."""
        argv = ["sh", "-c", WRITE, "place", f"{self._root}{path}", f"{mode:o}"]
        shown = f"writing {path} on {self.name}"
        run([*self._namespaces.inside, *argv], input=content, shown=shown)
        if owner:
            self.offline("chown", owner, path)

    def offline(self, *argv: str) -> Completed:
        """Run a program on the node's disk while the node is off."""
        words = [*self._namespaces.inside, "chroot", str(self._root), *argv]
        return run(words, shown=f"{self.name}, while it is off: {shlex.join(argv)}")

    def boot(self, *, timeout: float = 60.0) -> None:
        """Turn the node on; returns when its systemd has started everything that is enabled."""
        if self.is_on:
            raise HadebError(f"{self.name} is already on")
        # It may have turned itself off.
        self._forget()
        # If the power switch killed it, nspawn died too, and cleaned nothing up.
        self._namespaces.run("sh", "-c", LEFT, "left", self.name)
        self._boots += 1
        deadline = time.monotonic() + timeout
        with self._notify_socket() as ready, self.console.open("ab") as console:
            self._printed_before = console.tell()
            self._nspawn = self._namespaces.start(
                "sh", "-c", BOOT, "boot", *self._boot_arguments(), stdout=console
            )
            ready.settimeout(0.2)
            while b"READY=1" not in _datagram(ready).split(b"\n"):
                if self._nspawn.poll() is not None:
                    raise self._boot_failed("ended while it booted")
                frozen = is_frozen(self._console_text())
                if frozen or time.monotonic() > deadline:
                    failure = self._boot_failed(
                        "stopped while it booted" if frozen else f"was not up after {timeout:.0f} s"
                    )
                    clean_up_after(failure, self.cut_power)
                    raise failure
        self._find_leader()

    def _find_leader(self) -> None:
        assert self._nspawn
        try:
            (nspawn,) = children_of(self._nspawn.pid)
            (self._leader,) = children_of(nspawn)
            # The kernel may reuse the PID one day; a pidfd stays the leader's.
            self._power = os.pidfd_open(self._leader)
            begun = started_at(self._nspawn.pid)
            self._record.write_text(f"{self._nspawn.pid} {begun} {self._leader}\n", "utf-8")
        except (ValueError, FileNotFoundError, ProcessLookupError) as error:
            raise self._boot_failed("ended right after it booted") from error

    def _boot_arguments(self) -> list[str]:
        return [
            *(self.group, str(self._notify_path)),
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
            *("--console=pipe", "--settings=no", "--resolv-conf=off", "--timezone=off"),
            *("--link-journal=no", "--notify-ready=yes", f"--network-bridge={BRIDGE}"),
            # The fence agent connects to it. In a lab without fencing nothing listens there.
            f"--bind={self._namespaces.state / POWER}:/run/{POWER}",
            f"--bind={self._namespaces.nodes / PLACE}:{SHARED}",
            *(f"--machine={self.name}", f"--hostname={self.name}", f"--directory={self._root}"),
            "systemd.show_status=no",
        ]

    @property
    def group(self) -> str:
        """The control group of this boot, below the lab's own."""
        return f"{self._namespaces.cgroup}/{self.name}-{self._boots}"

    def cut_power(self) -> None:
        """Kill the node, as if somebody pulled the plug; returns when it is dead."""
        if self._power is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._power, signal.SIGKILL)
        elif self._nspawn:
            # Still booting: its processes end with nspawn.
            for child in children_of(self._nspawn.pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        self._gone(10)

    def shutdown(self, *, timeout: float = 60.0) -> None:
        """Shut the node down, as `shutdown -h now` does."""
        self.exec("systemctl", "--no-block", "poweroff")
        self._gone(timeout)

    def _gone(self, timeout: float) -> None:
        if self._nspawn:
            try:
                self._nspawn.wait(timeout)
            except subprocess.TimeoutExpired:
                raise HadebError(f"{self.name} is still on after {timeout:.0f} s") from None
        self._forget()

    def _forget(self) -> None:
        self._nspawn, self._leader = None, 0
        if self._power is not None:
            os.close(self._power)
            self._power = None

    @property
    def is_on(self) -> bool:
        """Whether the node has power."""
        return self._nspawn is not None and self._nspawn.poll() is None

    @property
    def inside(self) -> tuple[str, ...]:
        """The words to put before a command so that it runs on the node as root."""
        if not self._leader or not self.is_on:
            raise HadebError(f"{self.name} is off")
        return (
            *("nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net"),
            *("--pid", "--cgroup", "--root", "--wd", "--"),
            *("env", "--ignore-environment", *ENVIRONMENT),
        )

    def exec(
        self,
        *argv: str,
        input: str | bytes | None = None,
        timeout: float = 60.0,
        check: bool = True,
    ) -> Completed:
        """Run a program on the node as root; everything else as `hadeb.run.run` does."""
        return run(
            [*self.inside, *argv],
            input=input,
            timeout=timeout,
            check=check,
            shown=f"{self.name}: {shlex.join(argv)}",
        )

    def sh(self, script: str, *, timeout: float = 60.0, check: bool = True) -> Completed:
        """Run a line of sh on the node as root."""
        argv = [*self.inside, "sh", "-c", script]
        return run(argv, timeout=timeout, check=check, shown=f"{self.name}: {script}")

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644) -> None:
        """Write a file on the running node."""
        argv = [*self.inside, "sh", "-c", WRITE, "write", path, f"{mode:o}"]
        run(argv, input=content, shown=f"writing {path} on {self.name}")

    def read(self, path: str) -> bytes:
        """The content of a file of the running node."""
        return self.exec("cat", path).stdout_bytes

    def push(self, local: Path, path: str) -> None:
        """Copy a file of this machine to the running node, with its mode."""
        self.write(path, local.read_bytes(), mode=local.stat().st_mode & 0o7777)

    def journal(self, *arguments: str) -> str:
        """What the node's journal holds, as `journalctl` prints it."""
        return self.exec("journalctl", "--no-pager", *arguments).stdout

    @property
    def console(self) -> Path:
        """The file on this machine with the node's console output."""
        return self._namespaces.state / f"{self.name}.console"

    @property
    def _record(self) -> Path:
        return self._namespaces.state / f"{self.name}.boot"

    @property
    def _base(self) -> Path:
        return self._namespaces.nodes / self.name

    @property
    def _root(self) -> Path:
        return self._base / "root"

    @property
    def _notify_path(self) -> Path:
        return self._namespaces.state / f"{self.name}.ready"

    def _notify_socket(self) -> socket.socket:
        self._notify_path.unlink(missing_ok=True)
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        ready.bind(str(self._notify_path))
        return ready

    def _boot_failed(self, how: str) -> HadebError:
        return boot_failed(f"{self.name} {how}", self._console_text(), self._image)

    def _console_text(self) -> str:
        """What this boot has printed."""
        text = self.console.read_bytes()[self._printed_before :]
        return text.decode("utf-8", "replace")


def _datagram(ready: socket.socket) -> bytes:
    try:
        return ready.recv(4096)
    except TimeoutError:
        return b""
