# SPDX-License-Identifier: Apache-2.0
"""Interrupts and kills `hadeb lab up`, `run` and `down` at random moments; checks what is left.

    make lab-kills               20 times each with Ctrl-C, and 6 times each with kill -9
    make lab-kills TIMES=67      67 times each with Ctrl-C, and 20 times each with kill -9

After Ctrl-C, half of the time pressed twice, the exit code has to be 130, with nothing left behind
and no word of a bug. After kill -9, nothing may be left once `hadeb lab down` has run. The moments
are spread over the whole command. They come from a seed, which is printed: `python3
tests/targets/lab_kills.py TIMES SEED` has the same ones again. Labs that are up stay up. Wants
root. Ends with 1 where something was wrong.
"""

from __future__ import annotations

import random
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from support.lab_leftovers import call, interrupt_after, kill_after  # noqa: E402

UP: tuple[str, ...] = ("lab", "up", "--bare", "--nodes", "2", "-q")
RUN: tuple[str, ...] = ("lab", "run", "--smoke", "--nodes", "2", "-q", "-m", str(ROOT))
DOWN: tuple[str, ...] = ("lab", "down", "-q")
# Seconds: a little longer than it takes to the end, but for `run`: well into its trials.
LONGEST = {UP: 7.0, RUN: 40.0, DOWN: 0.25}
# So many times `up` are well into the trials of `run`.
_RUN_IN_UPS = 3.0


def moments(
    times: int, seed: int, command: tuple[str, ...], longest: float = 0.0
) -> Iterator[float]:
    """When to kill: each part of the command's time has its share, and chance chooses in it."""
    chance = random.Random(f"{seed} {command}")
    for number in range(times):
        yield (number + chance.random()) * (longest or LONGEST[command]) / times


def make_ready(command: tuple[str, ...], registry: Path, directory: Path) -> None:
    """Start a lab if the command is one that ends it."""
    if command == DOWN:
        begun = call(registry, *UP, directory=directory)
        assert begun.code == 0, begun.stderr


def measured(registry: Path, directory: Path) -> dict[tuple[str, ...], float]:
    """The seconds over which moments are spread, on this machine as it is now."""
    seconds = {}
    for command in (UP, DOWN):
        begun = time.monotonic()
        done = call(registry, *command, directory=directory)
        assert done.code == 0, done.stderr
        seconds[command] = time.monotonic() - begun
    return {**seconds, RUN: _RUN_IN_UPS * seconds[UP]}


def main(times: int, seed: int) -> int:
    """Interrupt and kill each command; 1 if something was wrong."""
    print(f"seed {seed}")
    # A job in a script's background starts with Ctrl-C ignored, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chance = random.Random(seed)
    wrong = count = 0
    with tempfile.TemporaryDirectory() as place:
        registry, work = Path(place, "labs"), Path(place, "work")
        registry.mkdir()
        work.mkdir()
        longest = measured(registry, work)
        for command, seconds in longest.items():
            for number, moment in enumerate(moments(times, seed, command, seconds)):
                make_ready(command, registry, work)
                again = chance.uniform(0, 0.3) if number % 2 else None
                left = interrupt_after(registry, moment, command, directory=work, again=again)
                how = "interrupted twice" if number % 2 else "interrupted"
                print(f"{command[1]:<4} {how} after {moment:5.2f} s: {left or 'right'}", flush=True)
                wrong, count = wrong + bool(left), count + 1
            for moment in moments(max(1, times * 3 // 10), seed, command, seconds):
                make_ready(command, registry, work)
                left = kill_after(registry, moment, command, directory=work)
                print(
                    f"{command[1]:<4} killed after {moment:5.2f} s: {left or 'right'}", flush=True
                )
                wrong, count = wrong + bool(left), count + 1
    print(f"{count} ended, {wrong} of them wrongly")
    return int(wrong > 0)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(
        main(numbers[0] if numbers else 20, numbers[1] if numbers[1:] else secrets.randbits(16))
    )
