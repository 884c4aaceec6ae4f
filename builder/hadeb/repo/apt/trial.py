# SPDX-License-Identifier: Apache-2.0
"""Try a generation with apt before any client sees it: an update, and simulated installs.

apt runs with its own configuration, lists and dpkg status in a scratch directory, independent of
this machine's apt (apt.conf(5), Dir).

The install reads the indexes from memory, while they are still being compressed and signed. The
update then proves that clients get the same indexes.
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

# How many seconds this machine's clock may be behind that of another publisher.
LAG = 900
# apt and its methods run in the client's directory and refer to it by this name. Neither apt.conf
# nor .sources can name every path: TMPDIR may contain blanks and quotes, for example.
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
Description: placeholder for a package of Debian

"""
_UNMET = ("Depends", "PreDepends", "Conflicts", "Breaks")


@dataclass(frozen=True, slots=True)
class AptTrial:
    """The trials of a generation, for each architecture; they run in the background."""

    installs: Sequence[_Install]
    updates: Sequence[_Update]
    threads: Executor
    running: list[Future[list[None]]]

    def install(self, indexes: Mapping[tuple[str, str], bytes]) -> None:
        """Start reading the indexes, by component and architecture, and installing what is new."""
        self._start([partial(package.attempt, indexes) for package in self.installs])

    def update(self) -> None:
        """Start fetching and verifying it; its indexes, Release and InRelease must be there."""
        self._start([package.attempt for package in self.updates])

    def _start(self, trials: Iterable[Callable[[], None]]) -> None:
        self.running.append(self.threads.submit(lambda: in_parallel(_call, trials)))


def _call(trial: Callable[[], None]) -> None:
    trial()


@contextmanager
def apt_trial(
    generation: Path, keyring: Path, suite: RepoSuite, contents: Contents, new: Sequence[Published]
) -> Iterator[AptTrial]:
    """Trials that end with the block; an error of apt takes precedence over one in the block.

    Raises HadebError with apt's message if apt warns or refuses.
    """
    with scratch_directory("apt") as place:
        root = place / "root"
        (root / "dists").mkdir(parents=True)
        # A link, because apt's file method cannot read a path with a blank.
        (root / "dists" / suite.name).symlink_to(generation.absolute())
        installs, updates = [], []
        for architecture in suite.architectures:
            fetching = _client(place / f"{architecture}.update", architecture)
            (fetching.home / "root").symlink_to(root)
            (fetching.home / "keyring.pgp").symlink_to(keyring)
            sources = _SOURCES.format(suite=suite.name, components=" ".join(suite.components))
            (fetching.home / "etc/sources.list.d/own.sources").write_text(sources, encoding="utf-8")
            updates.append(_Update(fetching))
            fitting = [package for package in new if package.architecture in {architecture, "all"}]
            client = _client(place / f"{architecture}.install", architecture)
            installs.append(_Install(client, contents, _newest(fitting)))
        with ThreadPoolExecutor(2) as threads:
            trial = AptTrial(installs, updates, threads, [])
            try:
                yield trial
            finally:
                for future in trial.running:
                    future.result()


def _newest(packages: Sequence[Published]) -> list[Published]:
    """The newest version of each package: apt can install only one."""
    newest = {
        package.name: package
        for package in sorted(packages, key=lambda package: version_key(package.version))
    }
    return list(newest.values())


@dataclass(frozen=True, slots=True)
class _Client:
    """A directory that apt treats as a machine of an architecture."""

    home: Path
    architecture: str

    def apt(self, *arguments: str) -> Completed:
        """Run apt-get as this client."""
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
            raise HadebError(f"the trial with apt failed: {error}") from error


def _client(home: Path, architecture: str) -> _Client:
    """A client with nothing installed and no sources."""
    for directory in ("lists/partial", "cache/archives/partial", "etc", "etc/preferences.d"):
        (home / directory).mkdir(parents=True)
    for directory in ("etc/apt.conf.d", "etc/sources.list.d", "etc/trusted.gpg.d"):
        (home / directory).mkdir()
    configuration = _CONFIGURATION.format(architecture=architecture, lag=LAG + 60)
    (home / "apt.conf").write_text(configuration, encoding="utf-8")
    (home / "status").touch()
    return _Client(home, architecture)


@dataclass(frozen=True, slots=True)
class _Update:
    """A client that fetches and verifies the generation."""

    client: _Client

    def attempt(self) -> None:
        # Do not let it read the indexes, since the other client does that.
        _check_output(
            self.client.apt("-o", "pkgCacheFile::Generate=false", "update"), "fetching it"
        )


@dataclass(frozen=True, slots=True)
class _Install:
    """A client that reads the indexes and installs the `wanted` packages."""

    client: _Client
    contents: Contents
    wanted: Sequence[Published]

    def attempt(self, indexes: Mapping[tuple[str, str], bytes]) -> None:
        for (component, architecture), index in indexes.items():
            if architecture == self.client.architecture:
                # apt tells from the end of the name what the file is (apt-get(8), --with-source).
                (self.client.home / f"{component}_Packages").write_bytes(index)
        if not self.wanted:
            _check_output(self._apt("check"), "reading it")
            return
        if self._installs_together():
            return
        # They may conflict, or one of them may be wrong: trying each alone tells.
        for package in self.wanted:
            self._install_placeholders([package])
            _check_output(self._install([package]), f"installing {package.name}={package.version}")

    def _installs_together(self) -> bool:
        try:
            self._install_placeholders(self.wanted)
        except NoPlaceholder:
            return False
        together = self._install(self.wanted)
        if together.returncode == 0:
            _check_output(together, "installing")
        return together.returncode == 0

    def _install_placeholders(self, packages: Sequence[Published]) -> None:
        """Install placeholders for what these need and the suite lacks; raises NoPlaceholder."""
        architecture = self.client.architecture
        needed = placeholders(packages, self.contents.packages, architecture)
        status = "".join(
            _INSTALLED.format(name=name, version=version, architecture=architecture)
            for name, version in needed.items()
        )
        (self.client.home / "status").write_text(status, encoding="utf-8")

    def _install(self, packages: Sequence[Published]) -> Completed:
        wanted = [f"{package.name}={package.version}" for package in packages]
        return self._apt("--simulate", "--allow-downgrades", "install", *wanted)

    def _apt(self, *arguments: str) -> Completed:
        indexes = sorted(path.name for path in self.client.home.glob("*_Packages"))
        sources = [word for name in indexes for word in ("--with-source", f"{_HERE}/{name}")]
        return self.client.apt(*sources, *arguments)


def _check_output(done: Completed, doing: str) -> None:
    """Raise HadebError if apt warned or failed: on a node it would do the same."""
    lines = f"{done.stdout}\n{done.stderr}".splitlines()
    complaints = [line for line in lines if line.startswith(("E:", "W:"))]
    unmet = [line.strip() for line in lines if any(f" {name}: " in line for name in _UNMET)]
    if done.returncode != 0 or complaints:
        words = "; ".join([*unmet, *complaints]) or f"exit status {done.returncode}"
        raise HadebError(
            f"apt refuses {doing}: {words}",
            hint="the suite is unchanged; fix the package, or publish what it needs with it",
        )
