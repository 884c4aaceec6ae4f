# SPDX-License-Identifier: Apache-2.0
"""Cuts the power while hadeb changes a repository, and checks the file system.

    make repo-cuts               before every call that changes a file, and at each command's end
    make repo-cuts TIMES=20      at 20 random moments of each command, its end among them

The moments, and what others bring to the disk meanwhile, come from a seed, which is printed:
`python3 tests/targets/repo_cuts.py TIMES SEED` has the same ones again, where TIMES is 0 for all.

The repository is on an ext4 in an image, whose loop device takes the kernel's cache out of the
way: what was not synced is not in the image. Before a call the image is copied, which is what a
power cut leaves, and the copy is mounted as at the next boot. At random some other program brings
the journal to the disk before, so that names get there without their bytes where nobody synced
these. A line of a command has fsync do nothing, with a few cuts: faults are to be found then, or
what finds none in the others is worth nothing. Wants root.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from support.repo.preload import compiled  # noqa: E402
from support.repo.publisher import Publisher, publishing  # noqa: E402
from targets.repo_kills import SCENES, Scene, Trial  # noqa: E402

# With a key file a publish does no more to the repository.
_SCENES = [scene for scene in SCENES if not scene.key_file]
_SIZE = 48 << 20
# How often the journal is brought to the disk by somebody else.
_OTHERS_SYNC = 0.3
# How many cuts show that without fsync there is something to be found.
_UNSYNCED = 20


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
    """How many cuts were checked, and the faults after each."""

    calls: int = 0
    cuts: int = 0
    finished: int = 0
    faults: dict[int, list[str]] = field(default_factory=dict)


class PowerCuts:
    """A scene on a disk of its own."""

    def __init__(
        self, scene: Scene, publisher: Publisher, library: Path, place: Path, seed: int
    ) -> None:
        self._scene, self._publisher, self._library, self._place = scene, publisher, library, place
        self._chance = random.Random(f"{seed} {scene.name}")
        place.mkdir()

    def run(self, times: int | None = None, finish_every: int = 10, **how: int) -> Cuts:
        """Run the command and cut `times` times, the last at its end; before every call if None."""
        image = self._place / "image"
        image.unlink(missing_ok=True)
        with image.open("wb") as stream:
            stream.truncate(_SIZE)
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        subprocess.run(["mkfs.ext4", "-q", "-E", lazy, image], check=True)
        cuts = Cuts()
        with mounted(image, self._place / "disk") as disk:
            trial = Trial(self._scene, self._publisher, self._library, disk / "trial")
            moments = self._moments(len(trial.points), times)
            trial.fresh()
            os.sync()
            for _ in self._calls(trial, how):
                cuts.calls += 1
                if self._chance.random() < _OTHERS_SYNC:
                    self._others(disk)
                if cuts.calls in moments:
                    self._cut(image, trial, cuts, finish=cuts.cuts % finish_every == 0)
            self._cut(image, trial, cuts, ended=True)
        return cuts

    def _moments(self, calls: int, times: int | None) -> set[int]:
        """Before which calls the power goes."""
        every = range(1, calls + 1)
        if times is None or times > calls:
            return set(every)
        return set(self._chance.sample(every, times - 1))

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
        self, image: Path, trial: Trial, cuts: Cuts, *, finish: bool = False, ended: bool = False
    ) -> None:
        """Check the state after a cut now; with `ended`, the command's work must be there."""
        left = self._place / "left"
        subprocess.run(["cp", "--sparse=always", image, left], check=True)
        cuts.cuts += 1
        faults: list[str] = []
        try:
            with mounted(left, self._place / "after") as after:
                seen = copy.copy(trial)
                seen.place = after / trial.place.name
                # The command that waits may hold what is among its temporary files; these are gone.
                seen.publisher = dataclasses.replace(trial.publisher, scratch="after")
                faults += seen.seen(by_apt=False)
                if ended:
                    faults += seen.undone()
                elif finish and not faults:
                    faults += seen.again()
                    cuts.finished += 1
        except (AssertionError, OSError, ValueError, subprocess.CalledProcessError) as fault:
            faults.append(repr(fault))
        if faults:
            cuts.faults[cuts.calls] = faults


def _line(scene: Scene, sync: str, cuts: Cuts, seconds: float) -> str:
    numbers = f"{cuts.calls} | {cuts.cuts} | {cuts.finished} | {len(cuts.faults) or 'none'}"
    return f"| {scene.name} | {sync} | {numbers} | {seconds:.0f} s |"


def main(times: int | None, seed: int) -> int:
    """Print the table; 1 where a cut broke a suite, or where fsync made no difference."""
    print(f"seed {seed}", file=sys.stderr)
    print("| command | fsync | file-changing calls | cuts | finished afterwards | faults | time |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    cut = faulty = blind = 0
    with tempfile.TemporaryDirectory(prefix="hadeb-cuts-") as name:
        place = Path(name)
        library = compiled(place)
        (place / "publisher").mkdir()
        with publishing(place / "publisher") as publisher:
            for number, scene in enumerate(_SCENES):
                cuts = PowerCuts(scene, publisher, library, place / str(number), seed)
                began = time.monotonic()
                synced = cuts.run(times)
                print(_line(scene, "as it is", synced, time.monotonic() - began), flush=True)
                for call, faults in synced.faults.items():
                    print(f"{scene.name}, call {call}: {'; '.join(faults)}", file=sys.stderr)
                cut, faulty = cut + synced.cuts, faulty + len(synced.faults)
                began = time.monotonic()
                unsynced = cuts.run(_UNSYNCED, no_sync=1)
                print(_line(scene, "does nothing", unsynced, time.monotonic() - began), flush=True)
                blind += not unsynced.faults
    print(f"{cut} cuts, {faulty} with faults", file=sys.stderr)
    if blind == len(_SCENES):
        print("without fsync there are no faults either: this finds nothing", file=sys.stderr)
    return int(faulty > 0 or blind == len(_SCENES))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(
        main(
            (numbers[0] if numbers else 0) or None,
            numbers[1] if numbers[1:] else secrets.randbits(16),
        )
    )
