# SPDX-License-Identifier: Apache-2.0
"""Compare a level-0 monitor with a script that only sources ocf-shellfuncs, on a node.

    python3 tests/bench/monitor_bench.py [--json] [--rounds N] [--suite bookworm|trixie]

Needs root. Both agents' resources run during the measurement, and the three programs take turns.
Exits 1 if an agent's median is more than three times that of the empty script.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median_high

from hadeb.debian.releases import SUITES
from hadeb.lab.node.machine import machine
from hadeb.lab.node.node import Node
from hadeb.run import run

ROOT = Path(__file__).resolve().parents[2]
PROVIDER = "/usr/lib/ocf/resource.d/kamaboko"
EMPTY = "/root/empty"
MOST = 3.0  # times the empty script's median

EMPTY_SCRIPT = """#!/bin/sh
: "${OCF_FUNCTIONS_DIR=${OCF_ROOT}/lib/heartbeat}"
. "${OCF_FUNCTIONS_DIR}/ocf-shellfuncs"
"""

# Runs on the node and prints the seconds of each call, by program. Ends if a call fails.
DRIVER = """
import json, os, sys, time
rounds, programs = int(sys.argv[1]), sys.argv[2:]
environment = {
    **os.environ,
    "OCF_ROOT": "/usr/lib/ocf",
    "OCF_RA_VERSION_MAJOR": "1",
    "OCF_RA_VERSION_MINOR": "0",
    "OCF_RESOURCE_INSTANCE": "BENCH",
    "OCF_RESKEY_CRM_meta_timeout": "20000",
    "OCF_RESKEY_CRM_meta_interval": "10000",
}
def call(program, action):
    began = time.perf_counter()
    child = os.posix_spawn(program, [program, action], environment)
    status = os.waitpid(child, 0)[1]
    took = time.perf_counter() - began
    if status:
        sys.exit(f"{program} {action} ended with {os.waitstatus_to_exitcode(status)}")
    return took
for program in programs[1:]:
    call(program, "start")
times = {program: [] for program in programs}
for _ in range(rounds):
    for program in programs:
        times[program].append(call(program, "monitor"))
for program in programs[1:]:
    call(program, "stop")
json.dump(times, sys.stdout)
"""


def install(node: Node) -> None:
    """Install the sample package and the empty script on a node."""
    with tempfile.TemporaryDirectory() as output:
        build = [sys.executable, "-m", "hadeb", "build", "--output", output]
        node.push(Path(run(build, cwd=ROOT).stdout.strip()), "/root/sample.deb")
    node.exec("dpkg", "--install", "/root/sample.deb")
    node.write(EMPTY, EMPTY_SCRIPT, mode=0o755)


def measure(node: Node, rounds: int) -> dict[str, float]:
    """Return the median seconds of a monitor, by program; the empty script comes first."""
    programs = [EMPTY, f"{PROVIDER}/sample-resource", f"{PROVIDER}/sample-tcp-server"]
    done = node.exec("python3", "-c", DRIVER, str(rounds), *programs, timeout=600)
    times: dict[str, list[float]] = json.loads(done.stdout)
    return {Path(program).name: median_high(values) for program, values in times.items()}


def main() -> int:
    """Measure on one node per release. Returns 0 if every agent is cheap enough."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--rounds", type=int, default=300, help="calls of each program")
    parser.add_argument("--suite", choices=SUITES, action="append", help="only this release")
    arguments = parser.parse_args()
    figures = {}
    for suite in arguments.suite or SUITES:
        with machine(suite) as node:
            install(node)
            figures[suite] = measure(node, arguments.rounds)
    worst = max(value / row["empty"] for row in figures.values() for value in row.values())
    if arguments.json:
        ms = {
            suite: {name: round(value * 1000, 3) for name, value in row.items()}
            for suite, row in figures.items()
        }
        print(json.dumps({"median_ms": ms, "worst_ratio": round(worst, 3), "most": MOST}))
    else:
        for suite, row in figures.items():
            for name, value in row.items():
                print(f"{suite:9} {name:18} {value * 1000:6.2f} ms  {value / row['empty']:5.2f}")
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
