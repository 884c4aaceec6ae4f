# SPDX-License-Identifier: Apache-2.0
"""How long `hadeb build` takes: the sample bundle alone, and a hundred bundles in one call.

    .venv/bin/python3 tests/bench/build_bench.py [--json] [--rounds N]

Whole processes are timed, from start to exit. Exits 1 where one is slower than promised.
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


def seconds(rounds: int, packages: int, argv: Sequence[str]) -> float:
    """The median time of a call that makes so many packages."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        done = run([str(HADEB), "build", "--quiet", *argv])
        times.append(time.perf_counter() - begun)
        assert len(done.stdout.splitlines()) == packages
    return median(times)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 where both are as fast as promised."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="calls of each kind")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        output = ["--output", str(Path(work, "dist"))]
        many = bundles(Path(work))
        one_build = seconds(options.rounds, 1, [*output, str(ROOT / "bundle.toml")])
        a_package = seconds(options.rounds, BUNDLES, [*output, *many]) / BUNDLES
    if options.json:
        figures = {"one_build_s": round(one_build, 4), "a_package_of_100_s": round(a_package, 5)}
        print(json.dumps(figures))
    else:
        print(f"one build: {one_build * 1000:.1f} ms, at most {ONE_BUILD * 1000:.0f}")
        print(f"a package of {BUNDLES}: {a_package * 1000:.1f} ms, at most {A_PACKAGE * 1000:.0f}")
    return 0 if one_build <= ONE_BUILD and a_package <= A_PACKAGE else 1


if __name__ == "__main__":
    sys.exit(main())
