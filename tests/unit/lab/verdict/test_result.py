# SPDX-License-Identifier: Apache-2.0
"""A run in a few numbers."""

from __future__ import annotations

from hadeb.lab.verdict.result import Run, Trial, totals


def run(*outages: float | None) -> Run:
    return Run("", tuple(Trial("x", "", "", 1.0, outage=outage) for outage in outages))


def test_the_median_of_an_even_number_does_not_flatter() -> None:
    assert totals(run(0.1, 0.9)).median == 0.9
    assert totals(run(3.0, 1.0, 2.0)).median == 2.0


def test_an_outage_that_did_not_end_is_the_worst() -> None:
    numbers = totals(run(0.1, None, 0.2))
    assert (numbers.worst, numbers.median) == (None, 0.2)
