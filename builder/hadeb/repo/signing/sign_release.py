# SPDX-License-Identifier: Apache-2.0
"""Sign a generation: InRelease, Release.gpg and manifest.json.asc."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.reason import after_colon
from hadeb.repo.model.keys import Key
from hadeb.repo.signing.keychain import Keychain

# Seconds after which hadeb reports that gpg may be asking for a passphrase.
_REPORT_AFTER = 3.0


def sign_in_release(
    keychain: Keychain, keys: Sequence[Key], directory: Path, info: Callable[[str], None]
) -> None:
    """Sign InRelease with every key; apt needs no other signature.

    Do this first and by itself. When a key that was just imported is first used, gpg-agent
    rewrites its file in place, and fails if it reads the file for another signature meanwhile.
    """
    _sign(keychain, keys, directory, info, [("--clearsign", "Release", "InRelease")])


def sign_detached(
    keychain: Keychain, keys: Sequence[Key], directory: Path, info: Callable[[str], None]
) -> None:
    """Make the detached signatures Release.gpg and manifest.json.asc."""
    names = (("Release", "Release.gpg"), ("manifest.json", "manifest.json.asc"))
    _sign(keychain, keys, directory, info, [("--detach-sign", *pair) for pair in names])


def _sign(
    keychain: Keychain,
    keys: Sequence[Key],
    directory: Path,
    info: Callable[[str], None],
    wanted: Sequence[tuple[str, str, str]],
) -> None:
    signers = [word for key in keys for word in ("--local-user", key.fingerprint)]
    options = ("--armor", "--digest-algo", "SHA512", *signers)

    names = ", ".join(key.fingerprint for key in keys)
    with _report_when_slow(
        info, f"waiting for gpg, which may be asking for the passphrase of {names}"
    ):
        # One after the other: apt runs meanwhile, takes longer, and needs the other processor.
        for how, signed, signature in wanted:
            try:
                # gpg writes to a pipe, not to the file. If hadeb is killed while gpg waits for a
                # passphrase, gpg keeps running, and could overwrite what the next command writes.
                made = keychain.gpg(
                    *options, "--output", "-", how, str(directory / signed), may_ask=True
                )
            except CommandFailed as error:
                raise HadebError(
                    f"gpg cannot sign{after_colon(error.reason)}",
                    hint="if gpg-agent does not have the key's passphrase, use --passphrase-file",
                ) from error
            (directory / signature).write_bytes(made.stdout_bytes)


@contextmanager
def _report_when_slow(info: Callable[[str], None], text: str) -> Iterator[None]:
    timer = threading.Timer(_REPORT_AFTER, info, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
