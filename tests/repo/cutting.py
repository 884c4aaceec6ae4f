# SPDX-License-Identifier: Apache-2.0
"""Cuts the power while hadeb changes a repository, and looks what the file system then holds.

    make repo-cuts                        before every call that changes a file; prints a table
    python3 tests/repo/cutting.py 10 7    before every tenth; 7 is the seed

The repository is on an ext4 in an image, whose loop device takes the kernel's cache out of the
way: what was not synced is not in the image. Before a call the image is copied, which is what a
power cut leaves, and the copy is mounted as at the next boot. At random some other program brings
the journal to the disk before, so that names get there without their bytes where nobody synced
these. The last line of a scene has fsync do nothing: faults are to be found then. Wants root.
"""

from __future__ import annotations

import copy
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from repo import looking, publishing  # noqa: E402
from repo.interposing import compiled  # noqa: E402
from repo.killing import SCENES, Scene, Trial  # noqa: E402
from repo.publishing import Desk  # noqa: E402

_SIZE = 48 << 20
# How often the journal is brought to the disk by somebody else.
_OTHERS_SYNC = 0.3


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system of an image; it is gone from the machine afterwards."""
    place.mkdir(exist_ok=True)
    loop = subprocess.run(
        ["losetup", "--find", "--show", "--direct-io=on", image],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    try:
        # The kernel is not to bring anything to the disk by itself while we look.
        subprocess.run(["mount", "-t", "ext4", "-o", "commit=600", loop, place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        subprocess.run(["losetup", "--detach", loop], check=True)


@dataclass
class Cuts:
    """How many cuts were looked at, and what was wrong after which of them."""

    calls: int = 0
    cuts: int = 0
    finished: int = 0
    faults: dict[int, list[str]] = field(default_factory=dict)


class PowerCuts:
    """A scene on a disk of its own."""

    def __init__(self, scene: Scene, desk: Desk, library: Path, place: Path, seed: int) -> None:
        self._scene, self._desk, self._library, self._place = scene, desk, library, place
        self._chance = random.Random(f"{seed} {scene.name}")
        place.mkdir()

    def run(self, every: int, finish_every: int = 10, **how: int) -> Cuts:
        """Run the command, and cut before every so many of its calls, and at its end."""
        image = self._place / "image"
        image.unlink(missing_ok=True)
        with image.open("wb") as stream:
            stream.truncate(_SIZE)
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        subprocess.run(["mkfs.ext4", "-q", "-E", lazy, image], check=True)
        found = Cuts()
        with mounted(image, self._place / "disk") as disk:
            trial = Trial(self._scene, self._desk, self._library, disk / "trial")
            trial.fresh()
            os.sync()
            for _ in self._calls(trial, how):
                found.calls += 1
                if self._chance.random() < _OTHERS_SYNC:
                    self._others(disk)
                if found.calls % every == 0:
                    self._cut(image, trial, found, finish=found.cuts % finish_every == 0)
            self._cut(image, trial, found, finish=True, ended=True)
        return found

    def _calls(self, trial: Trial, how: dict[str, int]) -> Iterator[None]:
        """Each call, while the command waits before it."""
        ask, answer = self._place / "ask", self._place / "ask.answer"
        for fifo in (ask, answer):
            fifo.unlink(missing_ok=True)
            os.mkfifo(fifo)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(trial.run, ask=ask, **how)
            with ask.open("rb", 0) as asked, answer.open("wb", 0) as answered:
                while asked.read(1):
                    try:
                        yield
                    finally:
                        answered.write(b".")
            done = running.result()
        assert done.code == 0, done.stderr

    @staticmethod
    def _others(disk: Path) -> None:
        with (disk / "of-somebody-else").open("a") as stream:
            stream.write("line\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _cut(
        self, image: Path, trial: Trial, found: Cuts, *, finish: bool, ended: bool = False
    ) -> None:
        """Look at what would be there after a cut now; `ended` wants the command's work there."""
        left = self._place / "left"
        subprocess.run(["cp", "--sparse=always", image, left], check=True)
        found.cuts += 1
        faults: list[str] = []
        try:
            with mounted(left, self._place / "after") as after:
                seen = copy.copy(trial)
                seen.place = after / trial.place.name
                faults += seen.seen(by_apt=False)
                if ended:
                    faults += _lacking(seen)
                if finish and not faults:
                    faults += seen.again()
                    found.finished += 1
        except (AssertionError, OSError, ValueError, subprocess.CalledProcessError) as fault:
            faults.append(repr(fault))
        if faults:
            found.faults[found.calls] = faults


def _lacking(trial: Trial) -> list[str]:
    return [
        f"{suite} has not what it was to have"
        for suite, wanted in trial.scene.wanted.items()
        if looking.packages(trial.root, suite) != wanted
    ]


def _line(scene: Scene, sync: str, cuts: Cuts) -> str:
    faults = len(cuts.faults) or "none"
    return f"| {scene.name} | {sync} | {cuts.calls} | {cuts.cuts} | {cuts.finished} | {faults} |"


def main(every: int, seed: int) -> int:
    """Print the table; 1 where a cut broke a suite, or where fsync made no difference."""
    print(f"seed {seed}", file=sys.stderr)
    worst = 0
    print("| command | fsync | file-changing calls | cuts | finished afterwards | faults |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="hadeb-cuts-") as name:
        place = Path(name)
        library = compiled(place)
        (place / "desk").mkdir()
        with publishing.desk(place / "desk") as desk:
            for scene in SCENES:
                cuts = PowerCuts(scene, desk, library, place / scene.name.replace(", ", "-"), seed)
                synced = cuts.run(every)
                print(_line(scene, "as it is", synced), flush=True)
                for call, faults in synced.faults.items():
                    print(f"{scene.name}, call {call}: {faults}", file=sys.stderr)
                unsynced = cuts.run(every, no_sync=1)
                print(_line(scene, "does nothing", unsynced), flush=True)
                worst = max(worst, bool(synced.faults))
    return worst


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(main(numbers[0] if numbers else 1, numbers[1] if numbers[1:] else 1))
