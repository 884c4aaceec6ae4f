# SPDX-License-Identifier: Apache-2.0
"""Secret keys from a file: gpg has them in a directory of its own, for as long as a command runs.

It lies where the machine keeps what must not outlive it, never in a repository. A command that is
killed leaves its directory behind, with the keys in it; the next one of that user removes it. The
kernel's lock on the directory tells which are still in use.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.files.scratch import is_private, scratch_directory_in, sweep_in
from hadeb.repo.signing.gpg import Keychain, end_agent, last_line, secret_keys


@contextmanager
def from_key_file(
    key_file: Path, passphrase_file: Path | None, runtime: Path
) -> Iterator[Keychain]:
    """A keychain of its own with the secret keys of a file; it is gone afterwards."""
    homes = _homes(runtime, make=True)
    sweep_in(homes, _remove)
    with scratch_directory_in(homes, remove=_remove) as home:
        keychain = Keychain(home, passphrase_file)
        _import(keychain, key_file)
        yield keychain


def sweep(runtime: Path) -> None:
    """Remove the directories of commands that were killed."""
    try:
        homes = _homes(runtime, make=False)
    except HadebError:
        # Somebody else's, with nothing of ours in it.
        return
    if homes.is_dir():
        sweep_in(homes, _remove)


def _import(keychain: Keychain, key_file: Path) -> None:
    hint = "make one: gpg --armor --export-secret-keys FINGERPRINT >FILE"
    try:
        keychain.gpg("--quiet", "--import", str(key_file), may_ask=True)
    except CommandFailed as error:
        raise HadebError(
            f"{key_file} holds no secret key that gpg reads: {last_line(error.stderr)}", hint=hint
        ) from error
    # Public keys alone are read, too; a key made in their place would be gone with the rest.
    if not secret_keys(keychain):
        raise HadebError(f"{key_file} holds no secret key that can sign", hint=hint)


def _homes(runtime: Path, *, make: bool) -> Path:
    """The directory with all of them; HadebError where somebody else could reach into it."""
    homes = runtime / f"hadeb-keys-{os.geteuid()}"
    if make:
        homes.mkdir(mode=0o700, exist_ok=True)
    if os.path.lexists(homes) and not is_private(homes):
        raise HadebError(
            f"{homes} is not a directory for you alone, and secret keys are to go there",
            hint=f"look who made it, and remove it: rm -r {homes}",
        )
    return homes


def _remove(home: Path) -> None:
    end_agent(home)
    shutil.rmtree(home, ignore_errors=True)
