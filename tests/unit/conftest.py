# SPDX-License-Identifier: Apache-2.0
"""What the unit tests share: the sample's .deb, a small bundle to spoil, and golden files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from unit.calling import ROOT, run_hadeb

_HEADER = "# SPDX-License-Identifier: Apache-2.0\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing (pytest tests/unit --update-golden)",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, whose first line is the license; or write it anew."""
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
