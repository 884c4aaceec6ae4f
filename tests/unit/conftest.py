# SPDX-License-Identifier: Apache-2.0
"""Unit tests run within this process: a test here that starts another one fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from hadeb.bundle import agents
from hadeb.errors import ToolMissing

_STARTS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system")


def _refuse(*words: object, **_: object) -> NoReturn:
    pytest.fail(f"a unit test starts a process, which belongs in tests/integration: {words[:2]}")


def _no_shell(*_: object, **__: object) -> NoReturn:
    raise ToolMissing("there is no shell to parse agents: tests/integration/bundle has one")


def _is_unit(item: pytest.Item | None) -> bool:
    return item is not None and item.path.is_relative_to(Path(__file__).parent)


@contextmanager
def _guard(item: pytest.Item | None) -> Iterator[None]:
    """Refuse every way in which Python starts a process while a unit test runs."""
    with pytest.MonkeyPatch.context() as patch:
        if _is_unit(item):
            patch.setattr(subprocess.Popen, "_execute_child", _refuse)
            for name in _STARTS:
                patch.setattr(os, name, _refuse)
            patch.setattr(agents, "run", _no_shell)
            # Whether this machine has resource-agents makes no difference.
            patch.setattr(agents, "AGENTS", "/nonexistent")
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """The fixtures of all scopes as well."""
    with _guard(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _guard(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """After the last unit test the fixtures of other tests end, whose nodes need processes."""
    with _guard(item if _is_unit(nextitem) else None):
        return (yield)
