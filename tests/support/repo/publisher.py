# SPDX-License-Identifier: Apache-2.0
"""A publisher with its own keys, quickly made packages, and hadeb."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.repo.disk.layout import Tree
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing.keychain import Keychain, make_key, public_keys, secret_keys
from support.command import HADEB, Outcome, call_hadeb, run_hadeb

# Variables that take effect when a process starts.
_OF_THE_LOADER = {"LD_PRELOAD", "PYTHONPATH", "PYTHONUTF8"}
# The bytes of packages that this process has packed, by what is in them.
_PACKED: dict[tuple[str, ...], bytes] = {}


@dataclass(frozen=True)
class Publisher:
    """Where somebody publishes. `keyring` is what clients were given, out of the repository.

    `scratch` is the name of the directory for temporary files.
    """

    place: Path
    home: Path
    key: str
    keyring: Path
    scratch: str = "tmp"

    @property
    def temporary(self) -> Path:
        """The directory for temporary files that hadeb is given, in memory or not."""
        directory = self.place / self.scratch
        directory.mkdir(exist_ok=True)
        return directory

    @property
    def key_file(self) -> Path:
        """The key in a file, as a pipeline has it."""
        file = self.place / "secret.asc"
        if not file.exists():
            done = Keychain(self.home).gpg("--armor", "--export-secret-keys", self.key)
            file.write_bytes(done.stdout_bytes)
        return file

    def environment(self) -> dict[str, str]:
        own = str(self.temporary)
        return {"GNUPGHOME": str(self.home), "TMPDIR": own, "XDG_RUNTIME_DIR": own}

    def hadeb(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        under: Sequence[str | Path] = (),
    ) -> Outcome:
        """Run hadeb with these keys, beside the packages, maybe under another program.

        Within this process where that makes no difference, since Python's start takes longer than
        much of what hadeb does.
        """
        surroundings = {**self.environment(), **(environment or {})}
        alone = threading.current_thread() is threading.main_thread()
        if alone and not under and not _OF_THE_LOADER & surroundings.keys():
            return call_hadeb(*arguments, directory=self.place, environment=surroundings)
        return run_hadeb(
            *arguments,
            directory=self.place,
            environment=surroundings,
            command=[*map(str, under), *HADEB],
            timeout=300,
        )

    def publish(self, root: Path, *files: str | Path, suite: str = "staging") -> Outcome:
        """Publish, and have it go well."""
        done = self.hadeb(
            *("publish", *files, "--repo", root, "--suite", suite, "--name", "sample"),
            *("--key", self.key),
        )
        assert done.code == 0, done.stderr
        return done

    def listed(self, root: Path, suite: str = "staging") -> set[str]:
        """Name and version of all that a suite has."""
        done = self.hadeb("repo", "list", suite, "--json", "--repo", root)
        assert done.code == 0, done.stderr
        return {f"{row['package']} {row['version']}" for row in json.loads(done.stdout)}

    def deb(
        self,
        name: str,
        version: str,
        *,
        content: str = "content",
        architecture: str = "all",
        size: int = 0,
        fields: str = "",
        directory: str = ".",
    ) -> Path:
        """A package by dpkg-deb, which packs the same words once."""
        path = self.place / directory / f"{name}_{version}_{architecture}.deb"
        words = (name, version, content, architecture, fields)
        if not size and words in _PACKED:
            path.parent.mkdir(exist_ok=True)
            # Under a new name: what a test has linked to the old one keeps its bytes.
            path.unlink(missing_ok=True)
            path.write_bytes(_PACKED[words])
            return path
        tree = self.place / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/share" / name).mkdir(parents=True)
        (tree / "usr/share" / name / "content").write_text(f"{version} {content}\n")
        if size:
            (tree / "usr/share" / name / "filling").write_bytes(os.urandom(size))
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
            f"Maintainer: Nobody <nobody@localhost>\n{fields}Description: a sample\n"
        )
        path.parent.mkdir(exist_ok=True)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", tree, path],
            # The same words give the same bytes, whenever they are packed.
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
            check=True,
            capture_output=True,
        )
        if not size:
            _PACKED[words] = path.read_bytes()
        return path


@contextmanager
def publishing(place: Path) -> Iterator[Publisher]:
    """A publisher in an empty directory; its gpg-agent ends with the block."""
    home = place / "keys"
    home.mkdir(mode=0o700)
    keychain = Keychain(home)
    try:
        key = make_key(keychain, "sample archive signing key")
        keyring = place / "clients.pgp"
        keyring.write_bytes(public_keys(keychain, secret_keys(keychain, [key])).binary)
        yield Publisher(place, home, key, keyring)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)


def _ignored(_: str) -> None:
    """Drop a command's messages."""


def writer(publisher: Publisher, root: Path) -> Writer:
    """A writer that publishes as the publisher, within this process."""
    now = datetime.datetime.now(datetime.UTC)
    return Writer(
        Tree(root), Keychain(publisher.home), "jane@desk", now, info=_ignored, warning=_ignored
    )
