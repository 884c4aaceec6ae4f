# SPDX-License-Identifier: Apache-2.0
"""A run in a few numbers. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hadeb.lab.client.answers import median
from hadeb.lab.verdict.result import Run


@dataclass(frozen=True, slots=True)
class Totals:
    """How many of a run's trials fell short, and their worst and median outage.

    An outage without an end is the worst of all: `worst`, and where there are many `median`, is
    None then. Both are None too where nothing was tried.
    """

    trials: int
    failed: int
    worst: float | None
    median: float | None


def totals(run: Run) -> Totals:
    """The numbers of a run."""
    outages = [math.inf if one.outage is None else one.outage for one in run.trials]
    return Totals(
        trials=len(run.trials),
        failed=sum(not trial.passed for trial in run.trials),
        worst=_ended(max(outages, default=math.inf)),
        median=_ended(median(outages) if outages else math.inf),
    )


def _ended(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds
