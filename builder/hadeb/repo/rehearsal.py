# SPDX-License-Identifier: Apache-2.0
"""apt itself against a generation that no client sees yet: an update, and installs by way of trial.

apt runs on configuration, lists and a dpkg status of its own in a directory that is thrown away;
nothing of this machine's apt goes in, and nothing comes out (apt.conf(5), Dir).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.at_once import at_once
from hadeb.errors import CommandFailed, HadebError
from hadeb.repo.contents import Contents, Published
from hadeb.repo.identity import RepoSuite
from hadeb.repo.stand_ins import NoStandIn, stand_ins
from hadeb.repo.throwaway import throwaway
from hadeb.repo.version import version_key
from hadeb.run import Completed, run

# Seconds that the clock of this machine may be behind that of another who publishes.
LAG = 900
# apt and what it starts run in a client's directory and call it by this name, since neither the
# configuration nor a source could name any path: TMPDIR may have blanks, quotes and worse in it.
_HERE = "/proc/self/cwd"
_CONFIGURATION = f"""\
Dir "{_HERE}/";
Dir::State "{_HERE}/";
Dir::State::status "{_HERE}/status";
Dir::Cache "{_HERE}/cache/";
Dir::Cache::srcpkgcache "";
Dir::Etc "{_HERE}/etc/";
Dir::Bin::methods "/usr/lib/apt/methods/";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Architecture "{{architecture}}";
APT::Architectures "{{architecture}}";
APT::Sandbox::User "";
APT::Get::Always-Include-Phased-Updates "true";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::Max-FutureTime "{{lag}}";
"""
_SOURCES = f"""\
Types: deb
URIs: file:{_HERE}/root
Suites: {{suite}}
Components: {{components}}
Signed-By: {_HERE}/keyring.pgp
"""
_INSTALLED = """\
Package: {name}
Status: install ok installed
Version: {version}
Architecture: {architecture}
Multi-Arch: allowed
Maintainer: nobody
Description: stands in for a package of Debian

"""
_UNMET = ("Depends", "PreDepends", "Conflicts", "Breaks")


def rehearse(
    generation: Path, keyring: Path, suite: RepoSuite, contents: Contents, new: Sequence[Published]
) -> None:
    """Update from a generation and try to install what is new in it, as every architecture.

    Raises HadebError with apt's own words where it warns or refuses.
    """
    with rehearsal(generation, keyring, suite, contents, new) as begin:
        begin()


@contextmanager
def rehearsal(
    generation: Path, keyring: Path, suite: RepoSuite, contents: Contents, new: Sequence[Published]
) -> Iterator[Callable[[], None]]:
    """As `rehearse`, while something else is done; what apt refuses comes before other errors.

    It begins with a call of what is yielded. From then on the indexes, Release and InRelease of the
    generation are to be there.
    """
    with throwaway("apt") as place:
        root = place / "root"
        (root / "dists").mkdir(parents=True)
        # apt's method cannot read a path with a blank in it, and need not.
        (root / "dists" / suite.name).symlink_to(generation.absolute())
        clients = []
        for architecture in suite.architectures:
            fitting = [one for one in new if one.architecture in {architecture, "all"}]
            client = _Client(place / architecture, architecture, contents, _newest(fitting))
            client.lay_out(root, keyring, suite)
            clients.append(client)
        with ThreadPoolExecutor(1) as thread:
            trials: list[Future[None]] = []
            try:
                yield lambda: trials.append(thread.submit(at_once, _Client.attempt, clients))
            finally:
                for trial in trials:
                    trial.result()


def _newest(packages: Sequence[Published]) -> list[Published]:
    """Only the newest of several versions can be installed beside the rest."""
    newest = {one.name: one for one in sorted(packages, key=lambda one: version_key(one.version))}
    return list(newest.values())


@dataclass(frozen=True, slots=True)
class _Client:
    """A machine of an architecture, in a directory: it is to install the `wanted` of a list."""

    home: Path
    architecture: str
    contents: Contents
    wanted: Sequence[Published]

    def lay_out(self, root: Path, keyring: Path, suite: RepoSuite) -> None:
        """Write what it has before it knows the generation."""
        for directory in ("lists/partial", "cache/archives/partial", "etc", "etc/preferences.d"):
            (self.home / directory).mkdir(parents=True)
        for directory in ("etc/apt.conf.d", "etc/sources.list.d", "etc/trusted.gpg.d"):
            (self.home / directory).mkdir()
        (self.home / "root").symlink_to(root)
        (self.home / "keyring.pgp").symlink_to(keyring)
        for file, text in {
            "apt.conf": _CONFIGURATION.format(architecture=self.architecture, lag=LAG + 60),
            "etc/sources.list.d/own.sources": _SOURCES.format(
                suite=suite.name, components=" ".join(suite.components)
            ),
            "status": "",
        }.items():
            (self.home / file).write_text(text, encoding="utf-8")

    def attempt(self) -> None:
        """Read the generation, and install."""
        _quietly(_apt(self.home, "update"), "reading it")
        if self.wanted and self._installs_together():
            return
        # They may exclude each other, or one of them is to blame: each alone tells.
        for one in self.wanted:
            self._has_stand_ins([one])
            _quietly(_install(self.home, [one]), f"installing {one.name}={one.version}")

    def _installs_together(self) -> bool:
        try:
            self._has_stand_ins(self.wanted)
        except NoStandIn:
            return False
        together = _install(self.home, self.wanted)
        if together.returncode == 0:
            _quietly(together, "installing")
        return together.returncode == 0

    def _has_stand_ins(self, packages: Sequence[Published]) -> None:
        """Let it have what these want and the suite does not; NoStandIn where nothing would do."""
        found = stand_ins(packages, self.contents.packages, self.architecture)
        status = "".join(
            _INSTALLED.format(name=name, version=version, architecture=self.architecture)
            for name, version in found.items()
        )
        (self.home / "status").write_text(status, encoding="utf-8")


def _install(home: Path, packages: Sequence[Published]) -> Completed:
    wanted = [f"{one.name}={one.version}" for one in packages]
    return _apt(home, "--simulate", "--allow-downgrades", "install", *wanted)


def _apt(home: Path, *arguments: str) -> Completed:
    environment = {
        "APT_CONFIG": f"{_HERE}/apt.conf",
        "LC_ALL": "C.UTF-8",
        "PATH": os.defpath,
        "TMPDIR": _HERE,
    }
    try:
        return run(("apt-get", "-q", *arguments), env=environment, check=False, cwd=home)
    except CommandFailed as error:
        raise HadebError(f"the trial with apt: {error}") from error


def _quietly(done: Completed, doing: str) -> None:
    """HadebError where apt warned or failed: on a node it would do the same."""
    said = f"{done.stdout}\n{done.stderr}".splitlines()
    complaints = [line for line in said if line.startswith(("E:", "W:"))]
    unmet = [line.strip() for line in said if any(f" {name}: " in line for name in _UNMET)]
    if done.returncode != 0 or complaints:
        words = "; ".join([*unmet, *complaints]) or f"it ended with {done.returncode}"
        raise HadebError(
            f"apt refuses, {doing}: {words}",
            hint="the suite is as it was; mend the package, or publish what it needs with it",
        )
