# SPDX-License-Identifier: Apache-2.0
"""Every daemon test runs under each available Python; see daemon_process.pythons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.daemon_process import Daemon, pythons

Start = Callable[..., Daemon]


@pytest.fixture(scope="session", params=pythons(), ids=lambda path: Path(path).resolve().name)
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter for the daemon."""
    path: str = request.param
    return path


@pytest.fixture
def start(python: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a daemon, as Daemon's arguments say, and ends it after the test."""
    with ExitStack() as stack:

        def begin(*arguments: str, **how: Any) -> Daemon:
            return stack.enter_context(Daemon(python, tmp_path, *arguments, **how))

        yield begin
