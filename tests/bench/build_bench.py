# SPDX-License-Identifier: Apache-2.0
"""How long `hadeb build` takes: the sample bundle alone, and a hundred bundles in one call.

    .venv/bin/python3 tests/bench/build_bench.py [--json] [--rounds N]

Whole processes are timed, from start to exit. Exits 1 where one is slower than promised. Beside
them, in turn, `dpkg-deb --build` writes the sample's files, staged for it: the part of the work
that it could do, measured on the same machine in the same minutes.
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
ONE_BUILD = 0.35  # s
A_PACKAGE = 0.016  # s, each of a hundred


def bundles(work: Path) -> list[str]:
    """A hundred bundles like the sample, each with a name and a daemon of its own."""
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
    """How long a program takes."""
    begun = time.perf_counter()
    run(argv)
    return time.perf_counter() - begun


def measure(work: Path, rounds: int) -> dict[str, float]:
    """The medians in seconds, of calls that take turns."""
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
    """Measure; 0 where both are as fast as promised."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="calls of each kind")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        figures = measure(Path(work), options.rounds)
    one_build, a_package = figures["one_build_s"], figures["a_package_of_100_s"]
    peer = figures["dpkg_deb_s"]
    if options.json:
        print(json.dumps({name: round(value, 5) for name, value in figures.items()}))
    else:
        print(f"one build: {one_build * 1000:.1f} ms, at most {ONE_BUILD * 1000:.0f}")
        print(f"a package of {BUNDLES}: {a_package * 1000:.1f} ms, at most {A_PACKAGE * 1000:.0f}")
        ratios = f"{one_build / peer:.1f} times that, {a_package / peer:.2f} times in a hundred"
        print(f"dpkg-deb on the staged files: {peer * 1000:.1f} ms; hadeb took {ratios}")
    return 0 if one_build <= ONE_BUILD and a_package <= A_PACKAGE else 1


if __name__ == "__main__":
    sys.exit(main())
