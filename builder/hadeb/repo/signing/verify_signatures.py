# SPDX-License-Identifier: Apache-2.0
"""Verify a generation's signatures with both verifiers that Debian's apt uses.

apt of Debian 12 uses gpgv. apt of Debian 13 uses sqv, which refuses more. Both have to accept.
"""

from __future__ import annotations

from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.reason import after_colon
from hadeb.run import run


def verify_signatures(keyring: Path, directory: Path, count: int) -> None:
    """Verify the signatures in a directory; HadebError if a verifier refuses one.

    sqv has to find `count` good signatures in each file.
    """
    release, manifest = directory / "Release", directory / "manifest.json"
    gpgv = ("gpgv", "--keyring", str(keyring))
    sqv = ("sqv", "--keyring", str(keyring), "--signatures", str(count))
    commands: list[tuple[str, ...]] = [(*gpgv, str(directory / "InRelease"))]
    for verifier in (gpgv, sqv):
        commands.append((*verifier, f"{release}.gpg", str(release)))
        commands.append((*verifier, f"{manifest}.asc", str(manifest)))

    # One after the other: apt runs meanwhile, takes longer, and needs the other processor.
    for command in commands:
        try:
            run(command)
        except CommandFailed as error:
            raise HadebError(
                f"{command[0]} refuses the signature of {Path(command[-1]).name}"
                f"{after_colon(error.reason)}",
                hint="sign with an Ed25519 key; sqv -v shows which rule an old key breaks",
            ) from error
