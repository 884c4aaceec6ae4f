# SPDX-License-Identifier: Apache-2.0
"""Tries the project as a newcomer would: in a Debian with apt, make, git and nothing else.

python3 tests/fresh/fresh.py [SUITE]         make deb, again, make test; in each suite, or one
python3 tests/fresh/fresh.py SUITE COMMAND…  a command in a clone of HEAD in such a Debian

Wants root. Everything that runs in there, and every mount, ends with this program.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hadeb.debian.releases import SUITES
from hadeb.errors import HadebError
from hadeb.lab.node.mirror import debian_archive, transport_options
from hadeb.run import run, start

PROJECT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("HADEB_CACHE") or "/var/cache/hadeb", "fresh")
CLONE = Path("/root/hadeb")
NEWCOMERS = ("make", "git", "ca-certificates")
SECOND_BUILD = 1.0
# How this machine reaches its registries is no part of what a newcomer has to set up.
SETTINGS = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
# Namespaces that end with us, also by kill -9, and take all in them along.
OURS = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
)
ENTER = """
set -eu
root=$1
shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
chroot "$root" "$@" || exit
"""


def say(line: str) -> None:
    """A line of our own between those of what runs."""
    print(f"fresh: {line}", flush=True)


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold the lock file; BlockingIOError where `how` does not wait."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def bare(suite: str, packages: Sequence[str] = NEWCOMERS) -> Path:
    """The directory of a bare Debian with apt and a few packages; made once, in some 20 s."""
    name = suite if packages == NEWCOMERS else "-".join((suite, *(packages or ("apt",))))
    ready = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f".{name}.lock"):
        if not ready.is_dir():
            say(f"making a bare {name}, once")
            half = CACHE / f".{name}.half"
            shutil.rmtree(half, ignore_errors=True)
            archive = debian_archive()
            if "\n" in archive.signed_by:
                raise HadebError("a key that lies inside apt's sources is not supported here")
            options = [f"--aptopt={line}" for line in transport_options()]
            options += [f"--include={package}" for package in packages]
            run(
                [
                    *OURS,
                    *("--mount-proc", "mmdebstrap", "--quiet", "--mode=root", "--variant=apt"),
                    *("--format=directory", *options),
                    *(suite, str(half), archive.line(suite, archive.signed_by)),
                ],
                timeout=600,
            )
            half.rename(ready)
    return ready


class Box:
    """A bare Debian of one's own, with the project cloned into it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *argv: str) -> None:
        """Run a command in the clone, its output going where ours goes.

        Raises HadebError where it does not end with 0.
        """
        surroundings = [f"{name}={os.environ[name]}" for name in PROXIES if name in os.environ]
        process = start(
            [
                *OURS,
                *("sh", "-c", ENTER, "enter", str(self.root)),
                *("env", "-i", "HOME=/root", "TERM=dumb", *surroundings),
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                *("sh", "-c", f'cd {CLONE} && exec "$@"', "sh", *argv),
            ],
            stdout=1,
            stderr=2,
        )
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if status:
            raise HadebError(f"{' '.join(argv)} ended with {status}")

    def timed(self, *argv: str) -> float:
        """Seconds that a command takes."""
        begun = time.monotonic()
        self.run(*argv)
        return time.monotonic() - begun


@contextmanager
def box(suite: str) -> Iterator[Box]:
    """A box for as long as the block lasts."""
    base = bare(suite)
    sweep()
    work = Path(tempfile.mkdtemp(prefix="box-", dir=CACHE))
    try:
        with locked(work / "lock"):
            root = work / "root"
            run(["cp", "-a", "--reflink=auto", str(base), str(root)], timeout=300)
            for name in SETTINGS:
                if Path(name).exists():
                    # By content: a link may point to what is not in there.
                    target = root / name.lstrip("/")
                    target.unlink(missing_ok=True)
                    shutil.copyfile(name, target)
            clone = root / CLONE.relative_to("/")
            run(["git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(clone)])
            yield Box(root)
    finally:
        shutil.rmtree(work)


def sweep() -> None:
    """Remove the boxes of those who were killed."""
    for work in CACHE.glob("box-*"):
        try:
            with locked(work / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(work)
        except (BlockingIOError, FileNotFoundError):
            continue


def newcomer(suite: str) -> str:
    """All that a newcomer does, in one suite; the sha256 of the package it made."""
    with box(suite) as debian:
        say(f"{suite}: the first make deb took {debian.timed('make', 'deb'):.1f} s")
        second = debian.timed("make", "deb")
        say(f"{suite}: the second make deb took {second:.2f} s")
        if second > SECOND_BUILD:
            raise HadebError(f"{suite}: a second make deb takes more than {SECOND_BUILD} s")
        (deb,) = (debian.root / CLONE.relative_to("/") / "dist").glob("*.deb")
        digest = run(["sha256sum", str(deb)]).stdout.split()[0]
        say(f"{suite}: {digest}  {deb.name}")
        say(f"{suite}: make test took {debian.timed('make', 'test'):.0f} s")
    return digest


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments ask for."""
    if os.geteuid() != 0:
        raise HadebError("trying the project in a bare Debian needs root")
    CACHE.mkdir(parents=True, exist_ok=True)
    if arguments[1:]:
        with box(arguments[0]) as debian:
            debian.run(*arguments[1:])
        return
    digests = {newcomer(suite) for suite in arguments or SUITES}
    if len(digests) != 1:
        raise HadebError("the suites made different packages of the same source")
    say("the same bytes in each")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(sys.argv[1:])
    except HadebError as error:
        sys.exit(f"fresh: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
