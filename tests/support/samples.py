# SPDX-License-Identifier: Apache-2.0
"""How many of a large set of cases a run tries: a fixed sample, or all with `--exhaustive`."""

from __future__ import annotations

import pytest
from hypothesis import settings

_EXHAUSTIVE = "exhaustive"


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="try all that a test samples otherwise (make manifests-fuzz, make repo-store-kills)",
    )


def configure(config: pytest.Config) -> None:
    """Choose the profile before a test module is imported. A sample is the same in each run."""
    settings.register_profile("sample", derandomize=True, deadline=None, database=None)
    settings.register_profile(_EXHAUSTIVE, deadline=None, database=None)
    settings.load_profile(_EXHAUSTIVE if config.getoption("--exhaustive") else "sample")


def is_exhaustive() -> bool:
    return settings.get_current_profile_name() == _EXHAUSTIVE


def examples(sample: int, exhaustive: int) -> int:
    """How many examples a generating test takes."""
    return exhaustive if is_exhaustive() else sample
