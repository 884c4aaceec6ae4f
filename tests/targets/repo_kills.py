# SPDX-License-Identifier: Apache-2.0
"""Kills hadeb at each call that changes a repository's files, and checks what clients see.

    make repo-kills              every call, every program started; prints the table of the docs
    make repo-kills EVERY=10     at every tenth

A program that is started gives two kills: of it, which is an error of hadeb's, and of hadeb, which
leaves it without anybody who waits. After each kill: what is in force, and what a client has read
before, verify down to the bytes of the pool, by gpgv and hashes and by apt, and the list is the old
one or the new one. Then the same command again ends well, and leaves what it would have left
without the kill, in the repository and in the directory for temporary files. Ends with 1 where it
was otherwise; what it was then goes to stderr.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from support.command import Outcome  # noqa: E402
from support.repo import inspection, leftovers  # noqa: E402
from support.repo.preload import calls, compiled, interposed, programs  # noqa: E402
from support.repo.publisher import Publisher, publishing  # noqa: E402

# Who is killed, as interposer.c has it, and where.
Kill = Literal["kill", "kill_child", "kill_after"]
_WHERE: dict[Kill, str] = {
    "kill": "hadeb at call",
    "kill_child": "program",
    "kill_after": "hadeb after the start of program",
}


@dataclass(frozen=True)
class Scene:
    """A command, the repository that it is called on, and what is in which suite afterwards."""

    name: str
    prepare: Callable[[Publisher, Path], None]
    arguments: tuple[str, ...]
    wanted: dict[str, set[str]]
    # The secret key comes from a file. Then kills are tried in the directory for temporary files,
    # too, where hadeb has a copy of it.
    key_file: bool = False


def _nothing(publisher: Publisher, root: Path) -> None:
    """The repository is made by the command."""


def _some(publisher: Publisher, root: Path) -> None:
    publisher.publish(root, publisher.deb("hello", "1.0"), publisher.deb("world", "1.0"))
    publisher.publish(root, publisher.deb("hello", "2.0"))


def _three(publisher: Publisher, root: Path) -> None:
    _some(publisher, root)
    publisher.publish(root, publisher.deb("world", "2.0"))


def _many(publisher: Publisher, root: Path) -> None:
    _some(publisher, root)
    for package in ("hello=1.0", "world"):
        assert publisher.hadeb("repo", "remove", package, "staging", "--repo", root).code == 0
    # Two days ago, so that prune may take it.
    past = time.time() - 2 * 86400
    for generation in (root / "dists/.generations/staging").iterdir():
        os.utime(generation, (past, past))


_HELLO, _WORLD = {"hello_1.0_all.deb", "hello_2.0_all.deb"}, {"world_1.0_all.deb"}
# Without one it is the directory's own, and another in another place.
_URL = ("--url", "https://apt.example.org/sample")
SCENES = (
    Scene(
        "publish, first",
        _nothing,
        ("publish", "hello_1.0_all.deb", "--suite", "staging", "--name", "sample", *_URL),
        {"staging": {"hello_1.0_all.deb"}},
    ),
    Scene(
        "publish",
        _some,
        ("publish", "world_2.0_all.deb", "world_3.0_all.deb", "--suite", "staging"),
        {"staging": {*_HELLO, *_WORLD, "world_2.0_all.deb", "world_3.0_all.deb"}},
    ),
    Scene(
        "publish --key-file",
        _some,
        ("publish", "world_2.0_all.deb", "--suite", "staging"),
        {"staging": {*_HELLO, *_WORLD, "world_2.0_all.deb"}},
        key_file=True,
    ),
    Scene(
        "promote",
        _some,
        ("promote", "hello", "staging", "stable"),
        {"staging": {*_HELLO, *_WORLD}, "stable": {"hello_2.0_all.deb"}},
    ),
    # Where no generation is named, there is a further one that a second rollback would go to.
    Scene(
        "rollback",
        _three,
        ("rollback", "staging"),
        {"staging": {*_HELLO, *_WORLD}},
    ),
    Scene(
        "rollback to a number",
        _some,
        ("rollback", "staging", "1"),
        {"staging": {"hello_1.0_all.deb", *_WORLD}},
    ),
    Scene(
        "prune",
        _many,
        ("prune", "--keep", "1"),
        {"staging": {"hello_2.0_all.deb"}},
    ),
)


@dataclass
class Trial:
    """A scene on a repository of its own, set up once and copied for each kill.

    `points` are the calls of a run that nobody kills, `started` the programs that it starts; `end`
    is what it leaves at the place `created_at`, and `besides` the directories that it keeps among
    temporary files.
    """

    scene: Scene
    publisher: Publisher
    library: Path
    place: Path
    before: dict[str, bytes] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    end: dict[str, str] = field(default_factory=dict)
    created_at: Path = Path()
    besides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.place.mkdir()
        for version in ("1.0", "2.0", "3.0"):
            for name in ("hello", "world"):
                self.publisher.deb(name, version)
        self.scene.prepare(self.publisher, self._template)
        for suite in self.scene.wanted:
            if (read := inspection.in_release(self._template, suite)) is not None:
                self.before[suite] = read
        self._unkilled()

    @property
    def _template(self) -> Path:
        return self.place / "template"

    @property
    def root(self) -> Path:
        return self.place / "repository"

    def fresh(self) -> Path:
        """Restore the repository to its state before the command."""
        leftovers.swept(self.publisher.temporary)
        shutil.rmtree(self.root, ignore_errors=True)
        if self._template.exists():
            subprocess.run(["cp", "-a", self._template, self.root], check=True)
        return self.root

    def words(self) -> tuple[str | Path, ...]:
        """The command, with its signing key."""
        key: tuple[str | Path, ...] = ()
        if self.scene.key_file:
            key = ("--key-file", self.publisher.key_file)
        elif self.scene.arguments[0] == "publish":
            key = ("--key", self.publisher.key)
        return (*self.scene.arguments, "--repo", self.root, *key)

    def run(self, **how: str | int | Path) -> Outcome:
        """Run the command with the given interruption."""
        below = (self.root, *((self.publisher.temporary,) if self.scene.key_file else ()))
        environment = interposed(self.library, *below, **how) if how else {}
        return self.publisher.hadeb(*self.words(), environment=environment)

    def _unkilled(self) -> None:
        """Run the command to its end, which must succeed, and keep its result."""
        log = self.place / "calls"
        self.fresh()
        done = self.run(log=log)
        assert done.code == 0, done.stderr
        self.points, self.started = calls(log), programs(log)
        self.end = inspection.end(self.root, self.root)
        self.created_at = self.root
        self.besides = tuple(leftovers.kept(self.publisher.temporary))
        assert (faults := self.finished() + self._left()) == [], faults
        # What is the same after a kill is as good as this.
        verified = self.publisher.hadeb("repo", "verify", "--repo", self.root)
        assert verified.code == 0, verified

    def seen(self, *, by_apt: bool = True) -> list[str]:
        """The faults that new clients and clients with older lists see."""
        faults = []
        for suite, wanted in self.scene.wanted.items():
            now = inspection.in_release(self.root, suite)
            if now is None and suite in self.before:
                faults.append(f"{suite} is gone")
            for read in {now, self.before.get(suite)} - {None}:
                assert read is not None
                faults += inspection.faults(self.root, suite, self.publisher.keyring, read)
            if now is None or faults:
                continue
            if now != self.before.get(suite) and inspection.packages(self.root, suite) != wanted:
                faults.append(f"{suite} has neither the old list nor the new one")
            if by_apt:
                with tempfile.TemporaryDirectory(prefix="hadeb-client-") as home:
                    uri = f"file:{self.root}"
                    faults += inspection.Client(
                        Path(home), uri, suite, self.publisher.keyring
                    ).update()
        return faults

    def killed(self, number: int, who: Kill = "kill") -> list[str]:
        """The faults after a kill at a call, or at the start of a program."""
        self.fresh()
        done = self.run(**{who: number})
        if who == "kill_child":
            if done.code == 0:
                # What is asked for nothing may die: gpgconf, which ends an agent.
                return self.finished() + self._left()
            if done.code != 1 or "error: " not in done.stderr or "bug: " in done.stderr:
                return [f"the death of a program ends it with {done.code}: {_last(done.stderr)}"]
        elif done.code != -signal.SIGKILL:
            return [f"it was not killed, and ended with {done.code}: {_last(done.stderr)}"]
        return self.seen() + self.again() + self._left()

    def _left(self) -> list[str]:
        left = leftovers.left(self.publisher.temporary, self.besides)
        return [f"left among temporary files: {name}" for name in left]

    def again(self) -> list[str]:
        """The faults after the same command ran again, which must finish the work."""
        done = self.run()
        if done.code != 0:
            return [f"the same command again ends with {done.code}: {_last(done.stderr)}"]
        return self.finished()

    def undone(self) -> list[str]:
        """The changes to suites that the command should have made and did not."""
        return [
            f"{suite} lacks {sorted(wanted - has)}, and has besides {sorted(has - wanted)}"
            for suite, wanted in self.scene.wanted.items()
            if (has := inspection.packages(self.root, suite)) != wanted
        ]

    def finished(self) -> list[str]:
        """The differences from a run without a kill."""
        faults = self.seen(by_apt=False) + self.undone()
        faults += inspection.unlike(inspection.end(self.root, self.created_at), self.end)
        faults += [f"left in the repository: {line}" for line in inspection.leftovers(self.root)]
        for suite in self.scene.wanted:
            faults += inspection.detached(self.root, suite, self.publisher.keyring)
        return faults


def _last(text: str) -> str:
    """A program's output on one line."""
    return "; ".join(text.strip().splitlines()[-3:])


def kills(trial: Trial, every: int) -> Iterator[tuple[str, list[str]]]:
    """Kill at every n-th of a trial's calls and programs: the place and the faults."""
    for who, where in _WHERE.items():
        points = trial.points if who == "kill" else trial.started
        for number in range(1, len(points) + 1, every):
            place = points[number - 1].replace(str(trial.root), "").strip()
            yield f"{where} {number}, {place}", trial.killed(number, who)


def _fault_lines(scene: Scene, faults: list[tuple[str, str]]) -> Iterator[str]:
    """Each fault once, with how many kills had it and the first of them."""
    where: dict[str, list[str]] = {}
    for place, fault in faults:
        where.setdefault(
            re.sub(r"/(?:tmp|dev/shm)/[^ ]*/|\bhadeb-[a-z]+-[a-z0-9_]{8}\b", "…", fault), []
        ).append(place)
    for fault, places in where.items():
        yield f"{scene.name}: {fault}\n    kills: {len(places)}; the first: {places[0]}"


def _line(trial: Trial, tried: int, faulty: int, seconds: float) -> str:
    numbers = f"{len(trial.points)} | {len(trial.started)} | {tried} | {faulty or 'none'}"
    return f"| {trial.scene.name} | {numbers} | {seconds:.0f} s |"


def _tried(scene: Scene, library: Path, place: Path, every: int) -> tuple[str, list[str]]:
    """The line of the table, and what was wrong."""
    began = time.monotonic()
    place.mkdir()
    with publishing(place) as publisher:
        trial = Trial(scene, publisher, library, place / "trial")
        tried = list(kills(trial, every))
    faults = [(at, fault) for at, observed in tried for fault in sorted(set(observed))]
    faulty = sum(bool(observed) for _, observed in tried)
    line = _line(trial, len(tried), faulty, time.monotonic() - began)
    return line, list(_fault_lines(scene, faults))


def main(every: int) -> int:
    """Print the table; 1 where a client saw a fault, or something was left or lost."""
    worst = 0
    print("| command | file-changing calls | programs | kills | with faults | time |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    # A kill leaves what was written, synced or not, so that memory does for a disk and is quicker;
    # but no library may lie there.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="hadeb-kills-") as library_place,
        tempfile.TemporaryDirectory(prefix="hadeb-kills-", dir=memory) as name,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        library = compiled(Path(library_place))

        def try_scene(numbered: tuple[int, Scene]) -> tuple[str, list[str]]:
            number, scene = numbered
            return _tried(scene, library, Path(name, str(number)), every)

        for line, faults in pool.map(try_scene, enumerate(SCENES)):
            print(line, flush=True)
            for fault in faults:
                print(fault, file=sys.stderr, flush=True)
            worst = max(worst, bool(faults))
    return worst


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1))
