# SPDX-License-Identifier: Apache-2.0
"""Compare the daemon's speed with three other designs, and check that its memory does not grow.

`python tests/bench/daemon_bench.py` runs 64 concurrent clients against each server in turn, round
after round, so that a busy moment of the machine affects all servers. Each verdict is the median of
the ratios to another server in the same round. `--memory` measures memory instead: after 1,000 and
after 1,000,000 connections. The exit code is 0 if all verdicts hold, else 1. Needs root, for a
network namespace and a TUN device; daemon/load.c says why the clients are behind one.

Python keeps up with C for two reasons: the kernel does nearly all of the work, and the daemon sends
greeting and FIN in one segment, while a plain accept, send, close loop sends two.
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
SYSTEM_PYTHON = Path("/usr/bin/python3")  # the interpreter in the package's launcher
CLIENTS = 64
ADDRESS = "198.18.0.1"  # RFC 2544's block for benchmarks; the clients have the next ones
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
    """The figures of one server during one turn."""

    per_second: float
    p50_us: int
    p99_us: int
    server_cpu_us: float  # the server's processor time per connection
    load_cpu_us: float  # the clients' processor time per connection
    bad: int


@dataclass(frozen=True)
class Verdict:
    """A figure, its bound, and whether the bound holds."""

    name: str
    value: float
    bound: str
    holds: bool


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    port: int
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class Load:
    """The compiled clients, and the TUN device to reach them."""

    program: Path
    tun: int  # descriptor

    def run_against(self, server: Server, *, seconds: float = 0, connections: int = 0) -> Measure:
        """Run the clients until the seconds or the connections are reached; 0 means no limit."""
        before = cpu_seconds(server.process.pid)
        arguments = (ADDRESS, server.port, CLIENTS, seconds, connections, ANSWER)
        ended = subprocess.run(
            [self.program, *map(str, arguments)],
            stdin=self.tun,
            stdout=subprocess.PIPE,
            check=False,
        )
        totals = json.loads(ended.stdout)
        used = cpu_seconds(server.process.pid) - before
        return Measure(
            per_second=totals["connections"] / totals["seconds"],
            p50_us=totals["p50_us"],
            p99_us=totals["p99_us"],
            server_cpu_us=1e6 * used / max(1, totals["connections"]),
            load_cpu_us=1e6 * totals["cpu_seconds"] / max(1, totals["connections"]),
            bad=totals["bad"],
        )


def leave_network() -> None:
    """Enter a new network namespace. Raises PermissionError without root."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}")


def open_network() -> int:
    """Create a TUN device that has ADDRESS, and return its descriptor for the clients' packets."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(
        tun, TUNSETIFF, struct.pack("16sH22x", b"clients", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
    )
    fcntl.ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM)
    subprocess.run(["ip", "address", "add", f"{ADDRESS}/24", "dev", "clients"], check=True)
    for device in ("clients", "lo"):  # the machine reaches its own address through lo
        subprocess.run(["ip", "link", "set", device, "up"], check=True)
    return tun


def compile_c(directory: Path) -> None:
    """Compile the clients and the C accept loop into the directory."""
    for name in ("load", "accept_loop"):
        subprocess.run(
            ["cc", "-O2", "-Wall", "-o", directory / name, PARTS / f"{name}.c"], check=True
        )


def commands(directory: Path) -> Mapping[str, Sequence[str]]:
    """Return the command that starts each server, to be followed by port and answer."""
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
    """Start a server, wait until it listens, and kill it at the end."""
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
    """Return the processor time of a process and all its threads, including ended ones."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def race(
    load: Load, commands: Mapping[str, Sequence[str]], rounds: int, seconds: float
) -> dict[str, list[Measure]]:
    """Run the clients against all servers in turn, in a different order each round."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(name, command, port))
            for port, (name, command) in enumerate(commands.items(), PORT)
        ]
        for server in servers:
            load.run_against(server, seconds=seconds / 4)
        measures: dict[str, list[Measure]] = {server.name: [] for server in servers}
        for number in range(rounds):
            turn = number % len(servers)
            for server in servers[turn:] + servers[:turn]:
                measures[server.name].append(load.run_against(server, seconds=seconds))
    return measures


def judge(measures: Mapping[str, list[Measure]]) -> list[Verdict]:
    """Compare the daemon with the other servers."""

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
    """Return the proportional set size in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Pss in smaps_rollup")


def growth(load: Load, command: Sequence[str]) -> list[Verdict]:
    """Compare the memory after many connections with that after a few."""
    with serving(DAEMON, command, PORT) as server:
        few = load.run_against(server, connections=FEW)
        before = memory(server.process.pid)
        many = load.run_against(server, connections=MANY - FEW)
        grown = (memory(server.process.pid) - before) / MEBIBYTE
    bad = few.bad + many.bad
    return [
        Verdict(f"MiB grown from {FEW:,} to {MANY:,} connections", grown, "<= 1", grown <= 1),
        Verdict("connections gone wrong", bad, "== 0", bad == 0),
    ]


def table(measures: Mapping[str, list[Measure]]) -> str:
    """Format the medians, one line for each server."""
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
    parser.add_argument("--memory", action="store_true", help="measure memory instead of speed")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    options = parser.parse_args(arguments)
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
        if options.memory:
            verdicts = growth(load, servers[DAEMON])
        else:
            measures = race(load, servers, options.rounds, options.seconds)
            verdicts = judge(measures)
    if options.json:
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
