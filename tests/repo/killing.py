# SPDX-License-Identifier: Apache-2.0
"""Kills hadeb at every call that changes a file of a repository, and looks what clients see.

    make repo-kills              every call, every program started; prints the table of the docs
    python3 tests/repo/killing.py 7     every seventh

After each kill: what is in force, and what a client has read before, verify down to the bytes of
the pool, by gpgv and hashes and by apt. Then the same command again ends well, and leaves what it
would have left without the kill. Ends with 1 where it was otherwise.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from repo import looking, publishing  # noqa: E402
from repo.interposing import calls, compiled, interposed  # noqa: E402
from repo.publishing import Desk  # noqa: E402
from unit.calling import Outcome  # noqa: E402


@dataclass(frozen=True)
class Scene:
    """A command, the repository that it is called on, and what is in which suite afterwards."""

    name: str
    prepare: Callable[[Desk, Path], None]
    arguments: tuple[str, ...]
    wanted: dict[str, set[str]]


def _nothing(desk: Desk, root: Path) -> None:
    """The repository is made by the command."""


def _some(desk: Desk, root: Path) -> None:
    desk.publish(root, desk.deb("hello", "1.0"), desk.deb("world", "1.0"))
    desk.publish(root, desk.deb("hello", "2.0"))


def _many(desk: Desk, root: Path) -> None:
    _some(desk, root)
    assert desk.hadeb("repo", "remove", "hello=1.0", "staging", "--repo", root).code == 0
    # Two days ago, so that prune may take it.
    past = time.time() - 2 * 86400
    for generation in (root / "dists/.generations/staging").iterdir():
        os.utime(generation, (past, past))


_HELLO, _WORLD = {"hello_1.0_all.deb", "hello_2.0_all.deb"}, {"world_1.0_all.deb"}
SCENES = (
    Scene(
        "publish, first",
        _nothing,
        ("publish", "hello_1.0_all.deb", "--suite", "staging", "--name", "sample"),
        {"staging": {"hello_1.0_all.deb"}},
    ),
    Scene(
        "publish",
        _some,
        ("publish", "world_2.0_all.deb", "world_3.0_all.deb", "--suite", "staging"),
        {"staging": {*_HELLO, *_WORLD, "world_2.0_all.deb", "world_3.0_all.deb"}},
    ),
    Scene(
        "promote",
        _some,
        ("promote", "hello", "staging", "stable"),
        {"staging": {*_HELLO, *_WORLD}, "stable": {"hello_2.0_all.deb"}},
    ),
    Scene(
        "rollback",
        _some,
        ("rollback", "staging", "1"),
        {"staging": {"hello_1.0_all.deb", *_WORLD}},
    ),
    Scene(
        "prune",
        _many,
        ("prune", "--keep", "1"),
        {"staging": {"hello_2.0_all.deb", *_WORLD}},
    ),
)


@dataclass
class Trial:
    """A scene on a repository of its own, set up once and copied for each kill."""

    scene: Scene
    desk: Desk
    library: Path
    place: Path
    before: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place.mkdir()
        for version in ("1.0", "2.0", "3.0"):
            for name in ("hello", "world"):
                self.desk.deb(name, version)
        self.scene.prepare(self.desk, self._template)
        for suite in self.scene.wanted:
            if (read := looking.in_release(self._template, suite)) is not None:
                self.before[suite] = read

    @property
    def _template(self) -> Path:
        return self.place / "template"

    @property
    def root(self) -> Path:
        return self.place / "repository"

    def fresh(self) -> Path:
        """The repository as it was before the command."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self._template.exists():
            subprocess.run(["cp", "-a", self._template, self.root], check=True)
        return self.root

    def run(self, **how: str | int | Path) -> Outcome:
        """The command, with what is to happen to it."""
        key = ("--key", self.desk.key) if self.scene.arguments[0] == "publish" else ()
        environment = interposed(self.library, self.root, **how) if how else {}
        return self.desk.hadeb(
            *self.scene.arguments, "--repo", self.root, *key, environment=environment
        )

    def calls(self) -> list[str]:
        """The calls that change the repository, in the command's order; it ends well."""
        log = self.place / "calls"
        log.unlink(missing_ok=True)
        self.fresh()
        done = self.run(log=log)
        assert done.code == 0, done.stderr
        self.finished()
        return calls(log)

    def seen(self, *, by_apt: bool = True) -> list[str]:
        """What is wrong for clients: those that come now, and those that began before."""
        found = []
        for suite in self.scene.wanted:
            now = looking.in_release(self.root, suite)
            if now is None and suite in self.before:
                found.append(f"{suite} is gone")
            for read in {now, self.before.get(suite)} - {None}:
                assert read is not None
                found += looking.faults(self.root, suite, self.desk.keyring, read)
            if now is not None and by_apt:
                with tempfile.TemporaryDirectory(prefix="hadeb-client-") as home:
                    uri = f"file:{self.root}"
                    found += looking.Client(Path(home), uri, suite, self.desk.keyring).update()
        return found

    def killed(self, number: int) -> bool:
        """Kill the command at a call, look, and finish the work; False where it ended before."""
        self.fresh()
        done = self.run(kill=number)
        if done.code != -signal.SIGKILL:
            assert done.code == 0, done.stderr
            return False
        assert self.seen() == []
        self.again()
        return True

    def bereft(self, number: int) -> bool:
        """Kill a program that the command starts; False where it starts not so many."""
        self.fresh()
        before = looking.published(self.root)
        done = self.run(kill_child=number)
        if done.code == 0:
            self.finished()
            return False
        assert done.code == 1, done
        assert "error: " in done.stderr, done.stderr
        assert "bug: " not in done.stderr, done.stderr
        after = looking.published(self.root)
        pool = {path for path in after.keys() - before.keys() if path.startswith("pool/")}
        changed = {path for path in after if path not in pool and after[path] != before.get(path)}
        # Before the switch the suite is as it was, and after it, it is the new one.
        assert not changed or self.seen() == [], changed
        assert self.seen() == []
        self.again()
        return True

    def again(self) -> None:
        """The same command once more finishes the work."""
        done = self.run()
        assert done.code == 0, done.stderr
        self.finished()

    def finished(self) -> None:
        """All is as it is without a kill."""
        assert self.seen(by_apt=False) == []
        assert {
            suite: looking.packages(self.root, suite) for suite in self.scene.wanted
        } == self.scene.wanted
        assert looking.leftovers(self.root) == []
        verified = self.desk.hadeb("repo", "verify", "--repo", self.root)
        assert verified.code == 0, verified


def _table(desk: Desk, library: Path, place: Path, every: int) -> Iterator[str]:
    """The lines of the table."""
    yield "| command | file-changing calls | killed | programs started | killed | faults seen |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for scene in SCENES:
        trial = Trial(scene, desk, library, place / scene.name.replace(", ", "-"))
        points = trial.calls()
        faults: list[str] = []
        kills = children = 0
        for number in range(1, len(points) + 1, every):
            try:
                kills += trial.killed(number)
            except AssertionError as fault:
                faults.append(f"{number} ({points[number - 1]}): {fault}")
        try:
            while trial.bereft(children + 1):
                children += 1
        except AssertionError as fault:
            faults.append(f"program {children + 1}: {fault}")
        for line in faults:
            print(f"{scene.name}: {line}", file=sys.stderr)
        seen = len(faults) or "none"
        yield (f"| {scene.name} | {len(points)} | {kills} | {children} | {children} | {seen} |")


def main(every: int) -> int:
    """Print the table; 1 where a client saw a fault, or one was left."""
    worst = 0
    with tempfile.TemporaryDirectory(prefix="hadeb-kills-") as name:
        place = Path(name)
        library = compiled(place)
        (place / "desk").mkdir()
        with publishing.desk(place / "desk") as desk:
            for line in _table(desk, library, place, every):
                print(line, flush=True)
                worst = max(worst, line.startswith("| p") and not line.endswith("| none |"))
    return worst


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1))
