# SPDX-License-Identifier: Apache-2.0
"""Secret keys from a file, in a separate gpg directory for the duration of a command.

The directory is on a file system that a reboot empties, never in a repository. A killed command
leaves its directory behind, with the keys in it; the same user's next command removes it. A lock
that the kernel holds on the directory tells which are still in use.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.files.scratch import is_private, scratch_directory_in, sweep_in
from hadeb.reason import after_colon
from hadeb.repo.signing.keychain import Keychain, end_agent, secret_keys


@contextmanager
def from_key_file(
    key_file: Path, passphrase_file: Path | None, runtime: Path
) -> Iterator[Keychain]:
    """A keychain with the secret keys of a file, for the duration of a block."""
    homes = _homes(runtime, make=True)
    sweep_in(homes, _remove)
    with scratch_directory_in(homes, remove=_remove) as home:
        keychain = Keychain(home, passphrase_file)
        _import(keychain, key_file)
        yield keychain


def sweep(runtime: Path) -> None:
    """Remove the key directories of killed commands."""
    try:
        homes = _homes(runtime, make=False)
    except HadebError:
        # Another user's directory, which cannot hold our keys.
        return
    if homes.is_dir():
        sweep_in(homes, _remove)


def _import(keychain: Keychain, key_file: Path) -> None:
    hint = "make one: gpg --armor --export-secret-keys FINGERPRINT >FILE"
    try:
        keychain.gpg("--quiet", "--import", str(key_file), may_ask=True)
    except CommandFailed as error:
        raise HadebError(
            f"{key_file} holds no secret key that gpg can read{after_colon(error.reason)}",
            hint=hint,
        ) from error
    # gpg also imports public keys alone; a key made here would be lost with the directory.
    if not secret_keys(keychain):
        raise HadebError(f"{key_file} holds no secret key that can sign", hint=hint)


def _homes(runtime: Path, *, make: bool) -> Path:
    """The directory above all key directories; HadebError if another user could access it."""
    homes = runtime / f"hadeb-keys-{os.geteuid()}"
    if make:
        homes.mkdir(mode=0o700, exist_ok=True)
    if os.path.lexists(homes) and not is_private(homes):
        raise HadebError(
            f"{homes} is not private to you, so it cannot hold secret keys",
            hint=f"check who made it, then remove it: rm -r {homes}",
        )
    return homes


def _remove(home: Path) -> None:
    end_agent(home)
    shutil.rmtree(home, ignore_errors=True)
