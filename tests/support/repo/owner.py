# SPDX-License-Identifier: Apache-2.0
"""The owner of a repository, starting without a key, and packages made without dpkg."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hadeb.package import deb
from hadeb.package.model import File, Package
from hadeb.repo.disk.layout import Tree
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing.keychain import Keychain, make_key
from hadeb.run import run
from support.command import Outcome, run_hadeb
from support.repo.bare_clients import URL

NAME = "greeter"
REPOSITORY = "example"


@dataclass(frozen=True)
class Owner:
    """Calls hadeb on a repository whose keys hadeb creates."""

    repository: Path
    home: Path

    def call(self, *arguments: str | Path) -> Outcome:
        """Run a command with `--repo` added; it must succeed."""
        done = self.run(*arguments)
        assert done.code == 0, done.stderr
        return done

    def run(self, *arguments: str | Path, **environment: str) -> Outcome:
        """A command, however it ends."""
        return run_hadeb(
            *arguments,
            *("--repo", self.repository),
            directory=self.repository.parent,
            environment={"GNUPGHOME": str(self.home), **environment},
        )

    def refused(self, *arguments: str | Path) -> str:
        """The error of a command that must fail and change nothing for clients."""
        before = self.served()
        done = self.run(*arguments)
        assert done.code != 0
        assert "Traceback" not in done.stderr
        assert self.served() == before
        return done.stderr

    def served(self) -> dict[str, bytes]:
        """All that a client can read, of what is in force."""
        pages = [path for path in self.repository.glob("*") if path.is_file()]
        suites = [path for path in self.repository.glob("dists/*/*") if path.is_file()]
        return {str(path): path.read_bytes() for path in (*pages, *suites)}

    def json(self, *arguments: str | Path) -> Any:
        """A command's JSON output."""
        return json.loads(self.call(*arguments, "--json").stdout)

    def publish(self, *files: Path, suite: str = "stable", options: tuple[str, ...] = ()) -> None:
        creation = ("--name", REPOSITORY, "--origin", "Example Ltd", "--url", URL)
        self.call("publish", *files, "--suite", suite, *creation, *options)

    def release(self, version: str, *options: str) -> None:
        """Publish the small package in a version."""
        self.publish(self.file(version), options=options)

    def file(self, version: str) -> Path:
        """The small package in a version, not yet published."""
        file = self.repository.parent / f"{NAME}_{version}_all.deb"
        file.write_bytes(deb.write(package(version)))
        return file

    def new_key(self, user_id: str) -> str:
        """The fingerprint of a key that is now in the key ring."""
        return make_key(self.keychain, user_id)

    def weak_key(self, user_id: str) -> str:
        """The fingerprint of a key that apt of Debian 12 takes, and apt of Debian 13 does not."""
        options = ("--status-fd", "1", "--pinentry-mode", "loopback", "--passphrase", "")
        wanted = ("--quick-generate-key", user_id, "rsa1024", "sign", "1y")
        made = self.keychain.gpg(*options, *wanted).stdout
        return made[made.index("KEY_CREATED") :].split()[2]

    @property
    def keychain(self) -> Keychain:
        return Keychain(self.home)

    def at(self, now: datetime.datetime) -> Writer:
        """A writer whose clock differs from the machine's."""
        return Writer(Tree(self.repository), self.keychain, "jane@desk", now, _nobody, _nobody)


def _nobody(text: str) -> None:
    """Ignores all messages."""


@contextmanager
def owning(directory: Path) -> Iterator[Owner]:
    """An owner before the first publish; gpg-agent ends with the block."""
    # Not below pytest's directory: the path of an agent's socket has to be a short one.
    with tempfile.TemporaryDirectory(prefix="hadeb-publisher-") as home:
        try:
            yield Owner(directory / "repository", Path(home))
        finally:
            run(("gpgconf", "--homedir", home, "--kill", "all"), check=False)


def package(version: str, name: str = NAME) -> Package:
    """A package that depends on nothing, with a file that tells its version."""
    control = (
        ("Package", name),
        ("Version", version),
        ("Architecture", "all"),
        ("Maintainer", "Jane Roe <jane@example.org>"),
        ("Section", "net"),
        ("Priority", "optional"),
        ("Description", "greets whoever asks"),
    )
    release = File(f"usr/share/{name}/release", f"{version}\n".encode())
    return Package(control, (release,), (), (), 1_700_000_000)
