# SPDX-License-Identifier: Apache-2.0
"""apt itself against a generation that no client sees yet: an update, and installs by way of trial.

apt runs on configuration, lists and a dpkg status of its own in a directory that is thrown away;
nothing of this machine's apt goes in, and nothing comes out (apt.conf(5), Dir).

The install takes the bytes of the indexes as they are to be published, while these are still being
packed and signed; that those are what a client gets is what the update shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hadeb.debian.version import version_key
from hadeb.errors import CommandFailed, HadebError
from hadeb.files.scratch import scratch_directory
from hadeb.parallel import in_parallel
from hadeb.repo.apt.dependencies import NoPlaceholder, placeholders
from hadeb.repo.model.contents import Contents, Published
from hadeb.repo.model.repository import RepoSuite
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


@dataclass(frozen=True, slots=True)
class AptTrial:
    """What can be tried of a generation, as every architecture; each goes on beside the caller."""

    installs: Sequence[_Install]
    updates: Sequence[_Update]
    threads: Executor
    begun: list[Future[list[None]]]

    def install(self, indexes: Mapping[tuple[str, str], bytes]) -> None:
        """Begin to read the indexes, by component and architecture, and to install what is new."""
        self._begin([partial(package.attempt, indexes) for package in self.installs])

    def update(self) -> None:
        """Begin to fetch and verify it: its indexes, Release and InRelease are there."""
        self._begin([package.attempt for package in self.updates])

    def _begin(self, trials: Iterable[Callable[[], None]]) -> None:
        self.begun.append(self.threads.submit(lambda: in_parallel(_call, trials)))


def _call(trial: Callable[[], None]) -> None:
    trial()


@contextmanager
def apt_trial(
    generation: Path, keyring: Path, suite: RepoSuite, contents: Contents, new: Sequence[Published]
) -> Iterator[AptTrial]:
    """Trials that end with the block. What apt refuses comes before what else is wrong.

    Raises HadebError with apt's own words where it warns or refuses.
    """
    with scratch_directory("apt") as place:
        root = place / "root"
        (root / "dists").mkdir(parents=True)
        # apt's method cannot read a path with a blank in it, and need not.
        (root / "dists" / suite.name).symlink_to(generation.absolute())
        installs, updates = [], []
        for architecture in suite.architectures:
            fetching = _machine(place / f"{architecture}.update", architecture)
            (fetching.home / "root").symlink_to(root)
            (fetching.home / "keyring.pgp").symlink_to(keyring)
            sources = _SOURCES.format(suite=suite.name, components=" ".join(suite.components))
            (fetching.home / "etc/sources.list.d/own.sources").write_text(sources, encoding="utf-8")
            updates.append(_Update(fetching))
            fitting = [package for package in new if package.architecture in {architecture, "all"}]
            machine = _machine(place / f"{architecture}.install", architecture)
            installs.append(_Install(machine, contents, _newest(fitting)))
        with ThreadPoolExecutor(2) as threads:
            trial = AptTrial(installs, updates, threads, [])
            try:
                yield trial
            finally:
                for each in trial.begun:
                    each.result()


def _newest(packages: Sequence[Published]) -> list[Published]:
    """Only the newest of several versions can be installed beside the rest."""
    newest = {
        package.name: package
        for package in sorted(packages, key=lambda package: version_key(package.version))
    }
    return list(newest.values())


@dataclass(frozen=True, slots=True)
class _Machine:
    """A directory that apt takes for a machine of an architecture."""

    home: Path
    architecture: str

    def apt(self, *arguments: str) -> Completed:
        """Run apt-get here."""
        environment = {
            "APT_CONFIG": f"{_HERE}/apt.conf",
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "TMPDIR": _HERE,
        }
        argv = ("apt-get", "-q", *arguments)
        try:
            return run(argv, env=environment, check=False, cwd=self.home)
        except CommandFailed as error:
            raise HadebError(f"the trial with apt: {error}") from error


def _machine(home: Path, architecture: str) -> _Machine:
    """One that has nothing installed, and no source."""
    for directory in ("lists/partial", "cache/archives/partial", "etc", "etc/preferences.d"):
        (home / directory).mkdir(parents=True)
    for directory in ("etc/apt.conf.d", "etc/sources.list.d", "etc/trusted.gpg.d"):
        (home / directory).mkdir()
    configuration = _CONFIGURATION.format(architecture=architecture, lag=LAG + 60)
    (home / "apt.conf").write_text(configuration, encoding="utf-8")
    (home / "status").touch()
    return _Machine(home, architecture)


@dataclass(frozen=True, slots=True)
class _Update:
    """A machine that is to fetch and verify the generation."""

    machine: _Machine

    def attempt(self) -> None:
        # It would read what it has fetched, and that is what the other machine does.
        _quietly(self.machine.apt("-o", "pkgCacheFile::Generate=false", "update"), "fetching it")


@dataclass(frozen=True, slots=True)
class _Install:
    """A machine that is to read the indexes, and to install the `wanted` of the list."""

    machine: _Machine
    contents: Contents
    wanted: Sequence[Published]

    def attempt(self, indexes: Mapping[tuple[str, str], bytes]) -> None:
        for (component, architecture), index in indexes.items():
            if architecture == self.machine.architecture:
                # By the end of the name apt knows what is in it (apt-get(8), --with-source).
                (self.machine.home / f"{component}_Packages").write_bytes(index)
        if not self.wanted:
            _quietly(self._apt("check"), "reading it")
            return
        if self._goes_together():
            return
        # They may exclude each other, or one of them is to blame: each alone tells.
        for package in self.wanted:
            self._install_placeholders([package])
            _quietly(self._install([package]), f"installing {package.name}={package.version}")

    def _goes_together(self) -> bool:
        try:
            self._install_placeholders(self.wanted)
        except NoPlaceholder:
            return False
        together = self._install(self.wanted)
        if together.returncode == 0:
            _quietly(together, "installing")
        return together.returncode == 0

    def _install_placeholders(self, packages: Sequence[Published]) -> None:
        """Install placeholders for what these need and the suite lacks; raises NoPlaceholder."""
        architecture = self.machine.architecture
        found = placeholders(packages, self.contents.packages, architecture)
        status = "".join(
            _INSTALLED.format(name=name, version=version, architecture=architecture)
            for name, version in found.items()
        )
        (self.machine.home / "status").write_text(status, encoding="utf-8")

    def _install(self, packages: Sequence[Published]) -> Completed:
        wanted = [f"{package.name}={package.version}" for package in packages]
        return self._apt("--simulate", "--allow-downgrades", "install", *wanted)

    def _apt(self, *arguments: str) -> Completed:
        indexes = sorted(path.name for path in self.machine.home.glob("*_Packages"))
        sources = [word for name in indexes for word in ("--with-source", f"{_HERE}/{name}")]
        return self.machine.apt(*sources, *arguments)


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
