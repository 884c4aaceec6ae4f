# SPDX-License-Identifier: Apache-2.0
"""How long it takes to publish one new .deb: hadeb, reprepro, aptly and plain apt-ftparchive.

    .venv/bin/python3 tests/bench/repo_bench.py [--json] [--rounds N] [--without NAME]… [SIZE…]

Without a SIZE, into repositories of 100, 1,000, 5,000 and 20,000 packages: ten minutes, 1 GB of
disk. Whole processes are timed, from the command line to the exit of the last one that the tool
needs for it; the tools take turns. Beside that, the time of the first fill, and the disk that a
repository takes after it and after the rounds. Exits 1 where hadeb is slower than promised, 5 where
a tool is missing.

All have the same packages and sign with the same key. The peers do the least that makes a
repository of one architecture, Packages and Packages.gz: aptly is told to make no Contents and no
bzip2, and apt-ftparchive may keep its cache. What hadeb does besides is in its time.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from hadeb.errors import CommandFailed, HadebError, ToolMissing
from hadeb.package import deb
from hadeb.package.model import File, Package
from hadeb.run import run

ROOT = Path(__file__).resolve().parents[2]
HADEB = ROOT / ".venv/bin/hadeb"
SIZES = (100, 1000, 5000, 20000)
JUDGED, SMALL = 5000, 100
MOST = 0.30  # s, one .deb into a repository of JUDGED packages
MOST_TIMES = 3.0  # that, over the same at SMALL
SUITE, ARCHITECTURE = "staging", "amd64"
LONGEST = 1800.0  # s, for one program
# What the bench made: hadeb publishes a package with its key besides.
STANZA = re.compile(rb"^Package: (?:new|sample)-", re.MULTILINE)

Commands = list[list[str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A tool, and how it is told to publish. Its commands run where the packages lie.

    `prepare` writes the settings that it reads, before the clock runs; `dists` is where the tool
    puts that directory, below the repository's.
    """

    name: str
    programs: Mapping[str, str]  # and the Debian package that each is in
    prepare: Callable[[Path, str], None]
    fill: Callable[[Path, str, Sequence[str]], Commands]
    publish: Callable[[Path, str, Sequence[str]], Commands]
    dists: str = "dists"


def _hadeb(repo: Path, key: str, debs: Sequence[str]) -> Commands:
    return [[str(HADEB), "publish", *debs, "--repo", str(repo), "--suite", SUITE, "--key", key]]


def _prepare_reprepro(repo: Path, key: str) -> None:
    (repo / "conf").mkdir()
    (repo / "conf/distributions").write_text(
        f"Codename: {SUITE}\nArchitectures: {ARCHITECTURE}\nComponents: main\nSignWith: {key}\n",
        encoding="utf-8",
    )


def _reprepro(repo: Path, _: str, debs: Sequence[str]) -> Commands:
    return [["reprepro", "--silent", "--basedir", str(repo), "includedeb", SUITE, *debs]]


def _prepare_aptly(repo: Path, _: str) -> None:
    settings = {"rootDir": str(repo), "architectures": [ARCHITECTURE], "gpgProvider": "gpg"}
    (repo / "aptly.conf").write_text(json.dumps(settings), encoding="utf-8")


def _aptly(first: bool, repo: Path, key: str, debs: Sequence[str]) -> Commands:
    aptly = ["aptly", f"-config={repo / 'aptly.conf'}"]
    options = ["-batch", f"-gpg-key={key}", "-skip-bz2", "-skip-contents", SUITE]
    add = [*aptly, "repo", "add", SUITE, *debs]
    if not first:
        return [add, [*aptly, "publish", "update", *options]]
    create = [*aptly, "repo", "create", f"-distribution={SUITE}", "-component=main", SUITE]
    return [create, add, [*aptly, "publish", "repo", *options]]


def _prepare_ftparchive(repo: Path, _: str) -> None:
    (repo / "pool").mkdir()
    (repo / f"dists/{SUITE}/main/binary-{ARCHITECTURE}").mkdir(parents=True)


# In place, as a careful person's script does it.
FTPARCHIVE = f"""set -e
repo=$1 key=$2
shift 2
cp -- "$@" "$repo/pool"
cd "$repo"
index=dists/{SUITE}/main/binary-{ARCHITECTURE}/Packages
apt-ftparchive --db cache.db packages pool >"$index"
gzip -kf "$index"
cd dists/{SUITE}
rm -f Release
apt-ftparchive -o APT::FTPArchive::Release::Codename={SUITE} \\
    -o APT::FTPArchive::Release::Architectures={ARCHITECTURE} \\
    -o APT::FTPArchive::Release::Components=main release . >../Release.new
mv ../Release.new Release
gpg --batch --yes --local-user "$key" --output InRelease --clearsign Release
gpg --batch --yes --local-user "$key" --output Release.gpg --armor --detach-sign Release
"""


def _ftparchive(repo: Path, key: str, debs: Sequence[str]) -> Commands:
    return [["sh", "-c", FTPARCHIVE, "sh", str(repo), key, *debs]]


CONTENDERS = (
    Contender("hadeb", {"apt-ftparchive": "apt-utils"}, lambda *_: None, _hadeb, _hadeb),
    Contender("reprepro", {"reprepro": "reprepro"}, _prepare_reprepro, _reprepro, _reprepro),
    Contender(
        "aptly",
        {"aptly": "aptly"},
        _prepare_aptly,
        partial(_aptly, True),
        partial(_aptly, False),
        "public/dists",
    ),
    Contender(
        "apt-ftparchive",
        {"apt-ftparchive": "apt-utils"},
        _prepare_ftparchive,
        _ftparchive,
        _ftparchive,
    ),
)


def look_for_programs(contenders: Sequence[Contender]) -> None:
    """ToolMissing, with all that is to be installed, where a program is not here."""
    needed = {"gpg": "gpg", "gpg-agent": "gpg-agent", "gpgconf": "gpgconf"}
    for contender in contenders:
        needed.update(contender.programs)
    missing = [program for program in needed if not shutil.which(program)]
    if missing:
        packages = sorted({needed[program] for program in missing})
        verb = "is" if len(missing) == 1 else "are"
        raise ToolMissing(
            f"{', '.join(missing)} {verb} not here",
            hint=f"sudo apt-get install {' '.join(packages)}",
        )
    if any(contender.name == "hadeb" for contender in contenders) and not HADEB.exists():
        raise ToolMissing(f"{HADEB} is not here", hint="sh builder/tools/setup.sh tools")


def package(name: str) -> Package:
    """A package of its own name with a text of its own: 1.3 kB as a .deb."""
    text = "".join(f"{hashlib.sha256(f'{name}{line}'.encode()).hexdigest()}\n" for line in range(9))
    return Package(
        control=(
            ("Package", name),
            ("Version", "1.0-1"),
            ("Architecture", ARCHITECTURE),
            ("Maintainer", "Bench <bench@example.org>"),
            ("Installed-Size", "1"),
            ("Depends", "libc6 (>= 2.36)"),
            ("Section", "net"),
            ("Priority", "optional"),
            ("Description", f"package of a benchmark\n The text of {name} is like no other's."),
        ),
        entries=(File(f"usr/share/doc/{name}/README", text.encode()),),
        conffiles=(),
        scripts=(),
        timestamp=1_700_000_000,
    )


def _write(directory: Path, name: str) -> str:
    made = package(name)
    (directory / made.file_name).write_bytes(deb.write(made))
    return made.file_name


def _let_the_parent_end_us() -> None:
    """A Ctrl-C on the terminal reaches all processes; the first of them decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def make_packages(directory: Path, names: Sequence[str]) -> list[str]:
    """The packages of these names; the names of the files."""
    directory.mkdir()
    with ProcessPoolExecutor(initializer=_let_the_parent_end_us) as workers:
        return list(workers.map(partial(_write, directory), names, chunksize=100))


@contextmanager
def surroundings(work: Path) -> Iterator[tuple[dict[str, str], str]]:
    """An environment whose home, keyring and agent are the bench's own; the key's fingerprint."""
    home, scratch = work / "home", work / "tmp"
    home.mkdir(mode=0o700)
    scratch.mkdir()
    places = {"HOME": str(home), "GNUPGHOME": str(home), "TMPDIR": str(scratch)}
    env = {**os.environ, **places, "LC_ALL": "C.UTF-8"}
    # As on a user's machine, where each call but the first finds the modules compiled.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    generate = ["--quick-generate-key", "Bench <bench@example.org>", "ed25519", "sign", "never"]
    try:
        said = run(
            ["gpg", "--batch", "--status-fd", "1", "--passphrase", "", *generate], env=env
        ).stdout
        created = re.search(r"KEY_CREATED P ([0-9A-F]{40})", said)
        assert created, said
        yield env, created[1]
    finally:
        # The agent is a daemon: nobody else ends it. Its sockets may lie outside of its home.
        run(["gpgconf", "--kill", "gpg-agent"], env=env, check=False)
        run(["gpgconf", "--remove-socketdir"], env=env, check=False)


def disk(directory: Path) -> float:
    """MiB that a tree takes on the disk; a file with two names counts once."""
    os.sync()  # before that, a filesystem may not know yet where it will put a file
    blocks = {}
    for root, _, names in os.walk(directory):
        for path in (Path(root), *(Path(root, name) for name in names)):
            status = path.lstat()
            blocks[status.st_ino] = status.st_blocks
    return sum(blocks.values()) * 512 / 2**20


def seconds(commands: Commands, env: Mapping[str, str], cwd: Path) -> float:
    """How long the programs take, one after the other."""
    os.sync()  # or who calls fsync would write what others left
    begun = time.perf_counter()
    for argv in commands:
        try:
            run(argv, env=env, cwd=cwd, timeout=LONGEST)
        except CommandFailed as error:
            # Not in its own words: they would name 20,000 files.
            said = f"{error.stdout}{error.stderr}".strip()[-2000:]
            how = f"{' '.join(argv[:3])} … ended with {error.returncode}"
            raise HadebError(f"{how}:\n{said}") from error
    return time.perf_counter() - begun


def check(contender: Contender, repo: Path, count: int, env: Mapping[str, str]) -> None:
    """A figure counts only if apt would find all packages there, and the signature is good."""
    suite = repo / contender.dists / SUITE
    signed = run(["gpg", "--batch", "--decrypt", str(suite / "InRelease")], env=env).stdout
    packed = (suite / f"main/binary-{ARCHITECTURE}/Packages.gz").read_bytes()
    if hashlib.sha256(packed).hexdigest() not in signed:
        raise HadebError(f"{contender.name}: InRelease is of another Packages.gz")
    listed = len(STANZA.findall(gzip.decompress(packed)))
    if listed != count:
        raise HadebError(f"{contender.name}: {listed} packages listed instead of {count}")


@dataclass(slots=True)
class Figures:
    """What was measured of one tool at one size: seconds, and MiB."""

    fill_s: float
    filled_mib: float
    rounds_s: list[float] = field(default_factory=list)
    then_mib: float = 0.0

    @property
    def publish_s(self) -> float:
        return median(self.rounds_s)


def measure(
    contenders: Sequence[Contender],
    debs: Path,
    files: Sequence[str],
    new: Sequence[str],
    env: Mapping[str, str],
    key: str,
) -> dict[str, Figures]:
    """Fill a repository of each tool with files, then publish the new ones into each in turn."""
    found = {}
    with tempfile.TemporaryDirectory(dir=debs.parent) as directory:
        for contender in contenders:
            repo = Path(directory, contender.name)
            repo.mkdir()
            contender.prepare(repo, key)
            fill_s = seconds(contender.fill(repo, key, files), env, debs)
            found[contender.name] = Figures(fill_s, disk(repo))
        for one in new:
            for contender in contenders:
                commands = contender.publish(Path(directory, contender.name), key, [one])
                found[contender.name].rounds_s.append(seconds(commands, env, debs))
        for contender in contenders:
            repo = Path(directory, contender.name)
            check(contender, repo, len(files) + len(new), env)
            found[contender.name].then_mib = disk(repo)
    return found


def measure_all(
    contenders: Sequence[Contender], sizes: Sequence[int], rounds: int
) -> dict[int, dict[str, Figures]]:
    """The figures by size and tool."""
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        with surroundings(work) as (env, key):
            debs = work / "debs"
            new = [f"new-{number:02}" for number in range(rounds)]
            names = [f"sample-{number:05}" for number in range(max(sizes))]
            files = make_packages(debs, [*new, *names])
            found = {}
            for size in sizes:
                print(f"repo_bench: {size:,} packages …", file=sys.stderr, flush=True)
                some = files[rounds : rounds + size]
                found[size] = measure(contenders, debs, some, files[:rounds], env, key)
    return found


def print_table(found: Mapping[int, Mapping[str, Figures]], rounds: int) -> None:
    """Tools below each other, sizes beside each other."""
    tables: dict[str, Callable[[Figures], str]] = {
        f"one new .deb, s, median of {rounds}": lambda one: f"{one.publish_s:.3f}",
        "first fill, s": lambda one: f"{one.fill_s:.2f}",
        "disk after the fill, MiB": lambda one: f"{one.filled_mib:.1f}",
        f"disk after {rounds} more, MiB": lambda one: f"{one.then_mib:.1f}",
    }
    for title, cell in tables.items():
        print(f"{title:32}", *(f"{size:>9,}" for size in found))
        for name in next(iter(found.values())):
            print(f"  {name:30}", *(f"{cell(row[name]):>9}" for row in found.values()))
        print()


def judge(found: Mapping[int, Mapping[str, Figures]]) -> dict[str, tuple[float, float]]:
    """What was promised and measured: the figure, and the most that it may be."""
    took = {size: row["hadeb"].publish_s for size, row in found.items() if "hadeb" in row}
    limits = {}
    if JUDGED in took:
        limits[f"hadeb at {JUDGED:,}, s"] = took[JUDGED], MOST
        if SMALL in took:
            times = took[JUDGED] / took[SMALL]
            limits[f"hadeb at {JUDGED:,}, times its figure at {SMALL}"] = times, MOST_TIMES
    return limits


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    names = [contender.name for contender in CONTENDERS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("sizes", nargs="*", type=int, metavar="SIZE", help="packages before it")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="publishes of each kind")
    parser.add_argument("--without", action="append", default=[], choices=names, metavar="NAME")
    options = parser.parse_args(arguments)
    contenders = [one for one in CONTENDERS if one.name not in options.without]
    sizes = sorted(set(options.sizes or SIZES))
    if not contenders or min(*sizes, options.rounds) < 1:
        parser.error("there is nothing to measure")
    # Whoever ends this with kill wants the directory and the agent gone, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        look_for_programs(contenders)
        found = measure_all(contenders, sizes, options.rounds)
    except HadebError as error:
        hint = f"\n  {error.hint}" if error.hint else ""
        print(f"repo_bench: {error}{hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    limits = judge(found)
    if options.json:
        print(json.dumps(as_json(found)))
    else:
        print_table(found, options.rounds)
        for what, (value, most) in limits.items():
            verdict = "ok" if value <= most else "TOO LONG"
            print(f"{what}: {value:.3f}, at most {most:.2f}  {verdict}")
        if not limits:
            print(f"nothing judged: that wants hadeb at {JUDGED:,} and {SMALL}")
    return 0 if all(value <= most for value, most in limits.values()) else 1


def as_json(found: Mapping[int, Mapping[str, Figures]]) -> dict[int, dict[str, dict[str, object]]]:
    """The figures, rounded to what they are worth."""
    return {
        size: {
            name: {
                "publish_s": round(one.publish_s, 4),
                "rounds_s": [round(taken, 4) for taken in one.rounds_s],
                "fill_s": round(one.fill_s, 3),
                "filled_mib": round(one.filled_mib, 2),
                "then_mib": round(one.then_mib, 2),
            }
            for name, one in row.items()
        }
        for size, row in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
