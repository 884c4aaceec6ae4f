# SPDX-License-Identifier: Apache-2.0
"""apt itself against a generation that no client sees yet: an update, and installs by way of trial.

apt runs on configuration, lists and a dpkg status of its own in a directory that is thrown away;
nothing of this machine's apt goes in, and nothing comes out (apt.conf(5), Dir).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hadeb.at_once import at_once
from hadeb.errors import CommandFailed, HadebError
from hadeb.repo.contents import Contents, Published
from hadeb.repo.identity import RepoSuite
from hadeb.repo.stand_ins import stand_ins
from hadeb.repo.throwaway import throwaway
from hadeb.repo.version import version_key
from hadeb.run import Completed, run

_CONFIGURATION = """\
Dir "{home}/";
Dir::State "{home}/";
Dir::State::status "{home}/status";
Dir::Cache "{home}/cache/";
Dir::Etc "{home}/etc/";
Dir::Bin::methods "/usr/lib/apt/methods/";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Sandbox::User "";
APT::Get::Always-Include-Phased-Updates "true";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
"""
_SOURCES = """\
Types: deb
URIs: file:{root}
Suites: {suite}
Components: {components}
Signed-By: {keyring}
"""
_INSTALLED = """\
Package: {name}
Status: install ok installed
Version: {version}
Architecture: {architecture}
Multi-Arch: foreign
Maintainer: nobody
Description: stands in for a package of Debian

"""


def rehearse(
    generation: Path, keyring: Path, suite: RepoSuite, contents: Contents, new: Sequence[Published]
) -> None:
    """Update from a generation and try to install what is new in it, as every architecture.

    Raises HadebError with apt's own words where it warns or refuses.
    """
    with throwaway("apt") as place:
        root = place / "root"
        (root / "dists").mkdir(parents=True)
        # apt's method cannot read a path with a blank in it, and need not.
        (root / "dists" / suite.name).symlink_to(generation.absolute())

        def one(architecture: str) -> None:
            _as_client(place / architecture, root, keyring, suite, architecture, contents, new)

        at_once(one, suite.architectures)


def _as_client(
    home: Path,
    root: Path,
    keyring: Path,
    suite: RepoSuite,
    architecture: str,
    contents: Contents,
    new: Sequence[Published],
) -> None:
    fitting = [one for one in new if one.architecture in {architecture, "all"}]
    for directory in ("lists/partial", "cache/archives/partial", "etc", "etc/preferences.d"):
        (home / directory).mkdir(parents=True)
    for directory in ("etc/apt.conf.d", "etc/sources.list.d", "etc/trusted.gpg.d"):
        (home / directory).mkdir()
    for file, text in {
        "apt.conf": _CONFIGURATION.format(home=home, architecture=architecture),
        "etc/sources.list.d/own.sources": _SOURCES.format(
            root=root, suite=suite.name, components=" ".join(suite.components), keyring=keyring
        ),
        "status": "".join(
            _INSTALLED.format(name=name, version=version, architecture=architecture)
            for name, version in stand_ins(fitting, contents.packages).items()
        ),
    }.items():
        (home / file).write_text(text, encoding="utf-8")
    _quietly(_apt(home, "update"), "reading the new generation")
    # Only the newest of several versions can be installed beside the rest.
    newest = {one.name: one for one in sorted(fitting, key=lambda one: version_key(one.version))}
    _try_installs(home, list(newest.values()))


def _try_installs(home: Path, packages: Sequence[Published]) -> None:
    if not packages:
        return
    wanted = [f"{one.name}={one.version}" for one in packages]
    together = _apt(home, "--simulate", "--allow-downgrades", "install", *wanted)
    if together.returncode == 0:
        _quietly(together, "installing")
        return
    # They may exclude each other, or one of them is to blame: each alone tells.
    for one in wanted:
        alone = _apt(home, "--simulate", "--allow-downgrades", "install", one)
        _quietly(alone, f"installing {one}")


def _apt(home: Path, *arguments: str) -> Completed:
    environment = {
        "APT_CONFIG": str(home / "apt.conf"),
        "LC_ALL": "C.UTF-8",
        "PATH": os.defpath,
        "TMPDIR": str(home),
    }
    try:
        return run(("apt-get", "-q", *arguments), env=environment, check=False)
    except CommandFailed as error:
        raise HadebError(f"the trial with apt: {error}") from error


def _quietly(done: Completed, doing: str) -> None:
    """HadebError where apt warned or failed: on a node it would do the same."""
    said = f"{done.stdout}\n{done.stderr}".splitlines()
    complaints = [line for line in said if line.startswith(("E:", "W:"))]
    unmet = [line.strip() for line in said if " Depends: " in line or " Conflicts: " in line]
    if done.returncode != 0 or complaints:
        words = "; ".join([*unmet, *complaints]) or f"it ended with {done.returncode}"
        raise HadebError(
            f"apt refuses, {doing}: {words}",
            hint="the suite is as it was; mend the package, or publish what it needs with it",
        )
