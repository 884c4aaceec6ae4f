# SPDX-License-Identifier: Apache-2.0
"""How fast the daemon answers, beside three other designs; and whether it grows.

`python tests/bench/daemon_bench.py` puts 64 concurrent clients on each server in turn, round
after round, so that a busy moment of the machine meets all of them. Verdicts are on the median of
each round's ratio to the C loop of the same round. `--memory` counts memory instead: after 1,000
and after 1,000,000 connections. Exit code 0 if all verdicts hold, else 1. Needs root, for a network
namespace and a TUN device: see daemon/load.c for why the clients are behind one.

That Python keeps up with C has two reasons: nearly all of the work is the kernel's, and the daemon
sends greeting and end in one segment where a plain accept, send, close loop sends two.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PARTS = Path(__file__).with_name("daemon")
SYSTEM_PYTHON = Path("/usr/bin/python3")  # what the package's launcher asks for
CLIENTS = 64
ADDRESS = "198.18.0.1"  # in the block for benchmarks, RFC 2544; the clients' are those that follow
PORT = 5678  # of the first server

# linux/sched.h and linux/if_tun.h; os.unshare is of Python 3.12
CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETOFFLOAD, TUN_F_CSUM = 0x400454CA, 0x400454D0, 0x01
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
ANSWER = f"Hello! This is {os.uname().nodename}!\n"

DAEMON, THREADED, PROTOCOL, C_LOOP = "daemon", "threaded", "asyncio Protocol", "C accept loop"
MANY, FEW = 1_000_000, 1_000
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Measure:
    """One server under load for a while."""

    per_second: float
    p50_us: int
    p99_us: int
    server_cpu_us: float  # of its processor time, per connection
    load_cpu_us: float  # of the clients', per connection
    bad: int


@dataclass(frozen=True)
class Verdict:
    """A figure, what it has to be, and whether it is."""

    name: str
    value: float
    bound: str
    holds: bool


@dataclass(frozen=True)
class Server:
    """A server that runs, and where."""

    name: str
    port: int
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class Load:
    """The compiled clients, and the way to them."""

    program: Path
    tun: int  # descriptor

    def put_on(self, server: Server, *, seconds: float = 0, connections: int = 0) -> Measure:
        """Put the clients on it for so many seconds, or so many connections."""
        before = cpu_seconds(server.process.pid)
        arguments = (ADDRESS, server.port, CLIENTS, seconds, connections, ANSWER)
        ended = subprocess.run(
            [self.program, *map(str, arguments)],
            stdin=self.tun,
            stdout=subprocess.PIPE,
            check=False,
        )
        said = json.loads(ended.stdout)
        used = cpu_seconds(server.process.pid) - before
        return Measure(
            per_second=said["connections"] / said["seconds"],
            p50_us=said["p50_us"],
            p99_us=said["p99_us"],
            server_cpu_us=1e6 * used / max(1, said["connections"]),
            load_cpu_us=1e6 * said["cpu_seconds"] / max(1, said["connections"]),
            bad=said["bad"],
        )


def leave_network() -> None:
    """Into a network namespace of our own. Raises PermissionError for whoever is not root."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}")


def open_network() -> int:
    """A network with ADDRESS on this side and packets on the other. Returns its descriptor."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(
        tun, TUNSETIFF, struct.pack("16sH22x", b"clients", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
    )
    fcntl.ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM)
    subprocess.run(["ip", "address", "add", f"{ADDRESS}/24", "dev", "clients"], check=True)
    for device in ("clients", "lo"):  # this machine reaches its own address through lo
        subprocess.run(["ip", "link", "set", device, "up"], check=True)
    return tun


def compile_c(directory: Path) -> None:
    """The load and the yardstick, into the directory."""
    for name in ("load", "accept_loop"):
        subprocess.run(
            ["cc", "-O2", "-Wall", "-o", directory / name, PARTS / f"{name}.c"], check=True
        )


def commands(directory: Path) -> Mapping[str, Sequence[str]]:
    """How to start each server; the port and the answer are to follow."""
    python = str(SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else sys.executable)
    code = (
        "import sys; from sample_tcp_server.cli import main;"
        "sys.exit(main(['--port', sys.argv[1], '--greet', sys.argv[2].split(' This is ')[0]]))"
    )
    return {
        DAEMON: [python, "-c", code],
        THREADED: [python, str(PARTS / "threaded.py")],
        PROTOCOL: [python, str(PARTS / "protocol.py")],
        C_LOOP: [str(directory / "accept_loop")],
    }


@contextmanager
def serving(name: str, command: Sequence[str], port: int) -> Iterator[Server]:
    """A server, from when it listens to the end of the context."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "daemon")}
    process = subprocess.Popen(
        [*command, str(port), ANSWER], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 15
        with socket.socket() as client:
            while client.connect_ex((ADDRESS, port)):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{name} does not start")
                time.sleep(0.02)
        yield Server(name, port, process)
    finally:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and all its threads, those that have ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def race(
    load: Load, commands: Mapping[str, Sequence[str]], rounds: int, seconds: float
) -> dict[str, list[Measure]]:
    """All servers in turn, each round in another order."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(name, command, port))
            for port, (name, command) in enumerate(commands.items(), PORT)
        ]
        for server in servers:
            load.put_on(server, seconds=seconds / 4)
        measures: dict[str, list[Measure]] = {server.name: [] for server in servers}
        for number in range(rounds):
            turn = number % len(servers)
            for server in servers[turn:] + servers[:turn]:
                measures[server.name].append(load.put_on(server, seconds=seconds))
    return measures


def judge(measures: Mapping[str, list[Measure]]) -> list[Verdict]:
    """What the daemon has to hold against the others."""

    def ratio(field: str, other: str) -> float:
        pairs = zip(measures[DAEMON], measures[other], strict=True)
        ratios = [getattr(ours, field) / max(getattr(them, field), 1) for ours, them in pairs]
        return float(median(ratios))

    c_loop, threaded = ratio("per_second", C_LOOP), ratio("per_second", THREADED)
    p99 = ratio("p99_us", C_LOOP)
    bad = sum(measure.bad for measure in measures[DAEMON])
    return [
        Verdict("connections a second, of the C loop's", c_loop, ">= 0.9", c_loop >= 0.9),
        Verdict("connections a second, of the threaded", threaded, ">= 8", threaded >= 8),
        Verdict("p99 latency, of the C loop's", p99, "<= 1.5", p99 <= 1.5),
        Verdict("connections gone wrong", bad, "== 0", bad == 0),
    ]


def memory(pid: int) -> int:
    """Proportional set size, bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Pss in smaps_rollup")


def growth(load: Load, command: Sequence[str]) -> list[Verdict]:
    """Memory after many connections, less that after a few."""
    with serving(DAEMON, command, PORT) as server:
        few = load.put_on(server, connections=FEW)
        before = memory(server.process.pid)
        many = load.put_on(server, connections=MANY - FEW)
        grown = (memory(server.process.pid) - before) / MEBIBYTE
    bad = few.bad + many.bad
    return [
        Verdict(f"MiB grown from {FEW:,} to {MANY:,} connections", grown, "<= 1", grown <= 1),
        Verdict("connections gone wrong", bad, "== 0", bad == 0),
    ]


def table(measures: Mapping[str, list[Measure]]) -> str:
    """Medians, a line per server."""
    lines = [
        f"{'server':18} {'conn/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us/conn':>12} {'load':>6}"
    ]
    for name, rounds in measures.items():
        rate, p50, p99, cpu, load = (
            median(getattr(each, field) for each in rounds)
            for field in ("per_second", "p50_us", "p99_us", "server_cpu_us", "load_cpu_us")
        )
        lines.append(
            f"{name:18} {rate:8.0f} {p50 / 1e3:8.2f} {p99 / 1e3:8.2f} {cpu:12.1f} {load:6.1f}"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--memory", action="store_true", help="growth instead of speed")
    parser.add_argument("--json", action="store_true", help="results as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="how often each server's turn comes")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    chosen = parser.parse_args(arguments)
    try:
        leave_network()
        tun = open_network()
    except OSError as error:
        parser.error(f"needs root and /dev/net/tun: {error}")
    measures: dict[str, list[Measure]] = {}
    with tempfile.TemporaryDirectory() as name:
        compile_c(Path(name))
        servers = commands(Path(name))
        load = Load(Path(name, "load"), tun)
        if chosen.memory:
            verdicts = growth(load, servers[DAEMON])
        else:
            measures = race(load, servers, chosen.rounds, chosen.seconds)
            verdicts = judge(measures)
    if chosen.json:
        rounds = {name: [asdict(each) for each in turns] for name, turns in measures.items()}
        result = {"rounds": rounds, "verdicts": [asdict(each) for each in verdicts]}
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        if measures:
            sys.stdout.write(table(measures) + "\n")
        for each in verdicts:
            mark = "holds" if each.holds else "FAILS"
            sys.stdout.write(f"{mark}  {each.name}: {each.value:.2f} ({each.bound})\n")
    return 0 if all(each.holds for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
