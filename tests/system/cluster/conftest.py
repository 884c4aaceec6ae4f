# SPDX-License-Identifier: Apache-2.0
"""Three real nodes per Debian release, with the sample bundle installed.

A run in a single process shows what the tests measure at the end of pytest's report, and writes it
to the file that HADEB_FIGURES names: tests/bench/failover_bench.py reads it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median_high

import pytest

from hadeb.debian.releases import SUITES, Suite
from hadeb.lab.cluster.cluster import Cluster
from hadeb.run import run
from support.command import ROOT

# Seconds without an answer, by release and event.
FIGURES: dict[str, dict[str, list[float]]] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    if FIGURES:
        terminalreporter.section("seconds without an answer")
    for suite, events in FIGURES.items():
        for event, values in events.items():
            of = ", ".join(f"{value:.3f}" for value in values)
            terminalreporter.write_line(
                f"{suite:9} {event:30} median {median_high(values):6.3f} of {of}"
            )


@pytest.fixture(scope="session")
def note() -> Callable[[str, str, list[float]], None]:
    """Keep what was measured: release, event, seconds; written down at once."""
    path = os.environ.get("HADEB_FIGURES")

    def keep(suite: str, event: str, values: list[float]) -> None:
        FIGURES.setdefault(suite, {})[event] = [round(value, 4) for value in values]
        if path:
            Path(path).write_text(json.dumps(FIGURES, indent=2) + "\n", encoding="utf-8")

    return keep


@pytest.fixture(scope="session")
def sample_deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle at the top of the tree, built by `hadeb build`."""
    output = tmp_path_factory.mktemp("dist")
    built = run([sys.executable, "-m", "hadeb", "build", "--output", str(output)], cwd=ROOT)
    return Path(built.stdout.strip())


@pytest.fixture(scope="module", params=SUITES)
def bare_cluster(
    request: pytest.FixtureRequest, as_root: None, sample_deb: Path
) -> Iterator[Cluster]:
    """Three nodes with the package installed by `dpkg -i`, and nothing configured."""
    suite: Suite = request.param
    with Cluster(suite, info=lambda line: print(line, file=sys.stderr, flush=True)) as cluster:
        for node in cluster.nodes:
            node.push(sample_deb, f"/root/{sample_deb.name}")
            node.exec("dpkg", "-i", f"/root/{sample_deb.name}")
        yield cluster
