# SPDX-License-Identifier: Apache-2.0
"""Unit tests run within this process: a test here that starts another one fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse every way in which Python starts a process, to the fixtures of all scopes as well."""
    with pytest.MonkeyPatch.context() as patch:
        # pytest calls this hook for the tests of other directories as well.
        if item.path.is_relative_to(Path(__file__).parent):
            patch.setattr(subprocess.Popen, "_execute_child", _refuse)
            for name in _STARTS:
                patch.setattr(os, name, _refuse)
            patch.setattr(agents, "run", _no_shell)
            # Whether this machine has resource-agents makes no difference.
            patch.setattr(agents, "AGENTS", "/nonexistent")
        return (yield)
