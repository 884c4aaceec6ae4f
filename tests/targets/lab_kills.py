# SPDX-License-Identifier: Apache-2.0
"""Kills `hadeb lab up`, `run` and `down` at random moments; checks what `down` leaves.

    make lab-kills               20 times each
    make lab-kills TIMES=100     as often as you like

The moments come from a seed, which is printed: `python3 tests/targets/lab_kills.py TIMES SEED` has
the same ones again. Labs that are up stay up. Wants root. Ends with 1 where something was left.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from support.lab_leftovers import call, kill_after  # noqa: E402

UP: tuple[str, ...] = ("lab", "up", "--bare", "--nodes", "2", "-q")
RUN: tuple[str, ...] = ("lab", "run", "--smoke", "-q", "-m", str(ROOT))
DOWN: tuple[str, ...] = ("lab", "down", "-q")
# Seconds: a little longer than it takes to the end, but for `run`: well into its trials.
LONGEST = {UP: 7.0, RUN: 40.0, DOWN: 0.25}


def moments(times: int, seed: int, command: tuple[str, ...]) -> Iterator[float]:
    """When to kill: each part of the command's time has its share, and chance chooses in it."""
    chance = random.Random(f"{seed} {command}")
    for number in range(times):
        yield (number + chance.random()) * LONGEST[command] / times


def make_ready(command: tuple[str, ...], registry: Path, directory: Path) -> None:
    """Start a lab if the command is one that ends it."""
    if command == DOWN:
        begun = call(registry, *UP, directory=directory)
        assert begun.code == 0, begun.stderr


def main(times: int, seed: int) -> int:
    """Kill each command the given number of times; 1 if something was left."""
    print(f"seed {seed}")
    worst = 0
    with tempfile.TemporaryDirectory() as place:
        registry, work = Path(place, "labs"), Path(place, "work")
        registry.mkdir()
        work.mkdir()
        for command in LONGEST:
            for seconds in moments(times, seed, command):
                make_ready(command, registry, work)
                left = kill_after(registry, seconds, command, directory=work)
                print(f"{command[1]:<4} killed after {seconds:5.2f} s: {left or 'nothing left'}")
                worst = max(worst, bool(left))
    return worst


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(
        main(numbers[0] if numbers else 20, numbers[1] if numbers[1:] else secrets.randbits(16))
    )
