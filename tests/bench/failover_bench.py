# SPDX-License-Identifier: Apache-2.0
"""Measure the outage when the daemon is killed and when its node goes on standby.

    python3 tests/bench/failover_bench.py [--json] [--suite bookworm|trixie]

Needs root. Runs the cluster tests that do both five times on three nodes, and reads their figures.
Exits 1 if a median is over half a second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median_high

from hadeb.debian.releases import SUITES
from hadeb.run import run

ROOT = Path(__file__).resolve().parents[2]
MOST = 0.5  # seconds without an answer, median of five
EVENTS = ("SIGKILL of the daemon", "pcs node standby")


def measure(suites: list[str]) -> dict[str, dict[str, list[float]]]:
    """Return the seconds without an answer, by release and event."""
    selection = f"(killed or standby) and ({' or '.join(suites)})"
    with tempfile.TemporaryDirectory() as directory:
        figures = Path(directory, "figures.json")
        run(
            [sys.executable, "-m", "pytest", "-q", "tests/system/cluster", "-k", selection],
            cwd=ROOT,
            env={**os.environ, "HADEB_FIGURES": str(figures)},
            timeout=1200,
        )
        outages: dict[str, dict[str, list[float]]] = json.loads(figures.read_text("utf-8"))
    return outages


def main(arguments: list[str]) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--suite", choices=SUITES)
    options = parser.parse_args(arguments)
    outages = measure([options.suite] if options.suite else list(SUITES))
    if options.json:
        print(json.dumps(outages, indent=2))
    good = True
    for suite, events in outages.items():
        for event in EVENTS:
            middle = median_high(events[event])
            good = good and middle <= MOST
            if not options.json:
                verdict = "ok" if middle <= MOST else "TOO LONG"
                of = ", ".join(f"{value:.3f}" for value in events[event])
                print(f"{suite:9} {event:22} {middle:6.3f} s of {of}  (at most {MOST})  {verdict}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
