# SPDX-License-Identifier: Apache-2.0
"""A real daemon on loopback, with its clients and a fake service manager."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
MODULE = ("-m", "sample_tcp_server")
NODE = os.uname().nodename
PATIENCE = 15.0  # seconds until a thing that should happen counts as not happening

# What a test's own environment must not lend to the daemon.
_NOT_INHERITED = {
    *("GREET", "PORT", "BIND", "SETTINGS", "JOURNAL_STREAM"),
    *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
}


def pythons() -> list[str]:
    """Those that PYTHONS names; else that of the tests, and the system's if of another release."""
    named = os.environ.get("PYTHONS", "").split()
    if named:
        return named
    interpreters = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    system = "/usr/bin/python3"
    if Path(system).exists():
        code = "import sys; print(*sys.version_info[:2], sep='.')"
        done = subprocess.run([system, "-c", code], capture_output=True, text=True, check=True)
        interpreters.setdefault(done.stdout.strip(), system)
    return list(interpreters.values())


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The daemon's environment: the machine's, the package's path, and a test's additions."""
    kept = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    return {**kept, "PYTHONPATH": str(ROOT / "daemon"), "PYTHONDONTWRITEBYTECODE": "1"} | dict(
        more or {}
    )


def free_port() -> int:
    """A port free on all addresses, below those the kernel gives to clients."""
    while True:
        port = random.randrange(15000, 32000)
        try:
            for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                with socket.socket(family) as trial:
                    if family == socket.AF_INET6:
                        trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    trial.bind((host, port))
        except OSError:
            continue
        return port


def answer(greet: str | bytes = "Hello!") -> bytes:
    """The daemon's answer for the greeting `greet`."""
    return (greet if isinstance(greet, bytes) else os.fsencode(greet)) + os.fsencode(
        f" This is {NODE}!\n"
    )


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A client, connected."""
    return socket.create_connection((host, port), timeout=PATIENCE)


def read_all(client: socket.socket) -> bytes:
    """All that comes until the end; a reset is an error."""
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def ask(port: int, host: str = "127.0.0.1") -> bytes:
    """One whole visit."""
    with connect(port, host) as client:
        return read_all(client)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look every few milliseconds; fail with `what` when patience ends."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.005)


class Manager:
    """Stands in for systemd: receives what the daemon notifies."""

    def __init__(self, name: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)

    def next(self) -> dict[str, str]:
        """The next message as keys and values."""
        text = self.socket.recv(65536).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, key: str) -> dict[str, str]:
        """The next message that has the key; others before it are dropped."""
        while key not in (message := self.next()):
            pass
        return message


class Daemon:
    """A running daemon; a context that ends it."""

    def __init__(
        self,
        python: str,
        directory: Path,
        *arguments: str,
        port: int | None = None,
        settings: Mapping[str, str | bytes] | None = None,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = MODULE,
        ready: bool = True,
        manager: str | None = None,
    ) -> None:
        self._stack = ExitStack()
        self.port = free_port() if port is None else port
        self._file = directory / f"{self.port}.conf"
        self._log = directory / f"{self.port}.log"
        name = manager or str(directory / f"{self.port}.notify")
        self.manager = Manager(name)
        self._stack.enter_context(self.manager.socket)
        options = [*arguments]
        if settings is None:
            options += ["--port", str(self.port)]
        else:
            self.write(settings)
            options += ["--settings", str(self._file)]
        self.process = subprocess.Popen(
            [python, *command, *options],
            env=environment({"NOTIFY_SOCKET": name, **(env or {})}),
            stdin=subprocess.DEVNULL,
            stderr=self._stack.enter_context(self._log.open("wb")),
        )
        self._stack.callback(self._end)
        if ready:
            self.manager.until("READY")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        """All it has written to standard error."""
        return self._log.read_text(encoding="utf-8", errors="backslashreplace")

    def write(self, settings: Mapping[str, str | bytes]) -> None:
        """The settings file, with the daemon's port unless another is given."""
        values = {"port": str(self.port), **settings}
        lines = (
            key.encode() + b"=" + (value if isinstance(value, bytes) else os.fsencode(value))
            for key, value in values.items()
        )
        self._file.write_bytes(b"\n".join(lines) + b"\n")

    def remove_settings(self) -> None:
        self._file.unlink()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def reload(self) -> None:
        """Send SIGHUP and wait until the daemon reports the end of the reload."""
        self.send(signal.SIGHUP)
        self.manager.until("RELOADING")
        self.manager.until("READY")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def freeze(self) -> None:
        """SIGSTOP, and until it has stopped: the kernel goes on completing handshakes."""
        self.send(signal.SIGSTOP)
        wait_until(lambda: self._status("State").startswith("T"), "stopped")

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    @property
    def descriptors(self) -> int:
        """How many are open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(self._status("VmRSS").split()[0]) * 1024

    @property
    def cpu_seconds(self) -> float:
        """User and system time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def blocks_signals(self) -> bool:
        return bool(int(self._status("SigBlk"), 16) & 1 << (signal.SIGTERM - 1))

    def _status(self, key: str) -> str:
        text = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        return next(
            line.split(":", 1)[1].strip()
            for line in text.splitlines()
            if line.startswith(f"{key}:")
        )
