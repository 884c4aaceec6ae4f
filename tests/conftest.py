# SPDX-License-Identifier: Apache-2.0
"""Fixtures of several directories: nodes, the sample's .deb, a small bundle, golden files."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import SUITES, Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from support import samples
from support.command import ROOT, run_hadeb
from support.distribution import Distribution

pytest_plugins = ["support.repo.fixtures"]

_HEADER = "# SPDX-License-Identifier: Apache-2.0\n"

# A job in a script's background starts with Ctrl-C ignored, and so would all that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    samples.configure(config)
    if not hasattr(config, "workerinput"):
        # The hundreds of processes that tests start read hadeb compiled, whatever the environment.
        compileall.compile_dir(ROOT / "builder/hadeb", quiet=2)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Distribution:
    return Distribution(config, log)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def as_root() -> None:
    """For tests that need namespaces and mounts."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session", params=SUITES)
def suite(request: pytest.FixtureRequest) -> Suite:
    """Each Debian release that the product supports."""
    chosen: Suite = request.param
    return chosen


@pytest.fixture(scope="session")
def machine(as_root: None, suite: Suite) -> Iterator[Node]:
    """One booted node per suite, shared by the session: leave it as you found it."""
    with lab_machine(suite, info=_say) as node:
        yield node


@pytest.fixture
def fresh_machine(as_root: None, suite: Suite) -> Iterator[Node]:
    """A booted node that no other test has touched."""
    with lab_machine(suite, info=_say) as node:
        yield node


def pytest_addoption(parser: pytest.Parser) -> None:
    samples.add_option(parser)
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files instead of comparing them (pytest tests/unit --update-golden)",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, whose first line is the license; or write it."""
    update = request.config.getoption("--update-golden", default=False)

    def compare(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_HEADER + text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == _HEADER + text

    return compare


@pytest.fixture(scope="session")
def sample_deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .deb of the repository's own bundle.toml."""
    directory = tmp_path_factory.mktemp("sample")
    built = run_hadeb("build", ROOT, "--output", directory, directory=directory)
    assert built.code == 0, built.stderr
    return Path(built.stdout.strip())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A directory with a small bundle of its own: bundle.toml, an agent, a Python daemon."""
    made = tmp_path / "bundle"
    shutil.copytree(ROOT / "tests/manifests/valid/python-flat", made)
    return made
