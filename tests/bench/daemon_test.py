# SPDX-License-Identifier: Apache-2.0
"""What the bench of the daemon measures holds."""

from __future__ import annotations

import pytest

from bench import daemon_bench


@pytest.mark.parametrize("arguments", [[], ["--memory"]])
def test_the_daemon_is_as_fast_and_as_small_as_promised(arguments: list[str]) -> None:
    assert daemon_bench.main(arguments) == 0
