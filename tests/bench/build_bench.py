# SPDX-License-Identifier: Apache-2.0
"""Time `hadeb build` for the sample bundle alone, and for a hundred bundles in one call.

    .venv/bin/python3 tests/bench/build_bench.py [--json] [--rounds N]

Times whole processes, from start to exit. Exits 1 if one takes longer than its limit. For
comparison, `dpkg-deb --build` takes turns with them and packs the sample's unpacked files, which is
the part of the work that it can do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from hadeb.run import run

ROOT = Path(__file__).resolve().parents[2]
HADEB = ROOT / ".venv/bin/hadeb"
BUNDLES = 100
SINGLE_BUILD = 0.35  # s
PER_PACKAGE = 0.016  # s, for each of a hundred


def bundles(work: Path) -> list[str]:
    """Write a hundred copies of the sample, each with its own package name. Returns their paths."""
    text = (ROOT / "bundle.toml").read_text("utf-8")
    name = 'name = "sample-tcp-server"'
    assert text.count(name) == 1
    for number in range(BUNDLES):
        directory = work / f"bundle-{number:03}"
        directory.mkdir()
        for part in ("agents", "daemon"):
            shutil.copytree(
                ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        (directory / "bundle.toml").write_text(
            text.replace(name, f'name = "sample-{number:03}"'), encoding="utf-8"
        )
    return [str(work / f"bundle-{number:03}") for number in range(BUNDLES)]


def seconds(argv: Sequence[str]) -> float:
    """Run a program and return how long it took."""
    start = time.perf_counter()
    run(argv)
    return time.perf_counter() - start


def measure(work: Path, rounds: int) -> dict[str, float]:
    """Return the medians in seconds. The calls take turns."""
    calls = {
        "one_build_s": [str(HADEB), "build", "--output", str(work), str(ROOT / "bundle.toml")],
        "hundred_s": [str(HADEB), "build", "--output", str(work / "dist"), *bundles(work)],
    }
    deb = run(calls["one_build_s"]).stdout.strip()
    run(["dpkg-deb", "--raw-extract", deb, str(work / "staged")])
    staged = [str(work / "staged"), str(work / "peer.deb")]
    calls["dpkg_deb_s"] = ["dpkg-deb", "--root-owner-group", "--build", *staged]
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, argv in calls.items():
            times[name].append(seconds(argv))
    assert len(list((work / "dist").iterdir())) == BUNDLES
    figures = {name: median(taken) for name, taken in times.items()}
    figures["a_package_of_100_s"] = figures.pop("hundred_s") / BUNDLES
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure. Returns 0 if both are within their limits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="calls of each kind")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        figures = measure(Path(work), options.rounds)
    single, per_package = figures["one_build_s"], figures["a_package_of_100_s"]
    peer = figures["dpkg_deb_s"]
    if options.json:
        print(json.dumps({name: round(value, 5) for name, value in figures.items()}))
    else:
        print(f"one build: {single * 1000:.1f} ms, at most {SINGLE_BUILD * 1000:.0f}")
        print(f"each of {BUNDLES}: {per_package * 1000:.1f} ms, at most {PER_PACKAGE * 1000:.0f}")
        ratios = f"{single / peer:.1f} times that, {per_package / peer:.2f} times in a hundred"
        print(f"dpkg-deb on the staged files: {peer * 1000:.1f} ms; hadeb took {ratios}")
    return 0 if single <= SINGLE_BUILD and per_package <= PER_PACKAGE else 1


if __name__ == "__main__":
    sys.exit(main())
