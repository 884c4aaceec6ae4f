# SPDX-License-Identifier: Apache-2.0
"""Secret and public keys, through gpg and the user's own keyring or another one."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError
from hadeb.files.scratch import scratch_directory
from hadeb.repo.model.keys import Key, PublicKeys
from hadeb.run import Completed, run

# Seconds that gpg may take if it does not ask for a passphrase.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Keychain:
    """The secret keys that gpg uses: the user's own if `home` is None."""

    home: Path | None = None
    passphrase_file: Path | None = None

    def gpg(self, *arguments: str, check: bool = True, may_ask: bool = False) -> Completed:
        """Run gpg with these keys; it never asks for a passphrase if there is a file with it.

        If it `may_ask` a person, there is no time limit.
        """
        home = () if self.home is None else ("--homedir", str(self.home))
        secret: tuple[str, ...] = ()
        if self.passphrase_file is not None:
            secret = ("--pinentry-mode", "loopback", "--passphrase-file", str(self.passphrase_file))
        argv = ("gpg", "--batch", "--no-tty", *home, *secret, *arguments)
        asks = may_ask and self.passphrase_file is None
        return run(argv, check=check, timeout=None if asks else _PATIENCE)


@contextmanager
def scratch_keychain() -> Iterator[Keychain]:
    """An empty keychain for the duration of a block."""
    with scratch_directory("keys") as home:
        try:
            yield Keychain(home)
        finally:
            end_agent(home)


def end_agent(home: Path) -> None:
    """End the gpg-agent of a key directory that is about to be removed."""
    try:
        run(("gpgconf", "--homedir", str(home), "--kill", "gpg-agent"), check=False)
    except HadebError:
        # An agent also ends by itself when its directory is gone.
        pass


def make_key(keychain: Keychain, user_id: str) -> str:
    """Make an Ed25519 key that only signs, valid for three years; returns its fingerprint."""
    made = keychain.gpg(
        # A command that was killed before it saved its key may have left one of this name, and
        # without --yes gpg would not make another.
        *("--yes", "--status-fd", "1", "--pinentry-mode", "loopback", "--passphrase", ""),
        *("--quick-generate-key", user_id, "ed25519", "sign", "3y"),
    )
    created = [line.split() for line in made.stdout.splitlines() if " KEY_CREATED " in line]
    return created[0][3]


def secret_keys(keychain: Keychain, fingerprints: Sequence[str] = ()) -> list[Key]:
    """The secret keys that can sign, all or those named; HadebError if one is missing."""
    listed = keychain.gpg(
        "--with-colons", "--fixed-list-mode", "--list-secret-keys", *fingerprints, check=False
    )
    if listed.returncode != 0 and fingerprints:
        raise HadebError(
            f"gpg has no secret key {', '.join(fingerprints)}",
            hint="import it into gpg, or name a file that holds it with --key-file",
        )
    return list(_parse_keys(listed.stdout))


def _parse_keys(listing: str) -> Iterator[Key]:
    """Parse `gpg --with-colons` (GnuPG's doc/DETAILS); a subkey cannot outlive its key."""
    fingerprint, user_id, primary_ends, ends = "", "", "", list[str]()
    for line in [*listing.splitlines(), "sec:"]:
        fields = line.split(":")
        if fields[0] in {"sec", "pub"}:
            if fingerprint and ends:
                yield Key(fingerprint, user_id, _expiry(primary_ends, ends))
            if len(fields) < 12:
                return
            fingerprint, user_id, primary_ends, ends = "", "", fields[6], []
            if "s" in fields[11]:
                ends.append(fields[6])
        elif fields[0] in {"ssb", "sub"} and "s" in fields[11] and fields[1] not in {"r", "i"}:
            ends.append(fields[6])
        elif fields[0] == "fpr" and not fingerprint:
            fingerprint = fields[9]
        elif fields[0] == "uid" and not user_id:
            user_id = fields[9].replace(r"\x3a", ":")


def _expiry(primary: str, ends: Sequence[str]) -> datetime.datetime | None:
    last = None if "" in ends else max(int(end) for end in ends)
    if primary:
        last = int(primary) if last is None else min(last, int(primary))
    return None if last is None else datetime.datetime.fromtimestamp(last, datetime.UTC)


def public_keys(keychain: Keychain, keys: Sequence[Key]) -> PublicKeys:
    """Export the public keys without other people's signatures on them."""
    fingerprints = [key.fingerprint for key in keys]
    options = ("--export-options", "export-minimal")
    exported = keychain.gpg(*options, "--export", *fingerprints)
    return PublicKeys(exported.stdout_bytes, tuple(keys))


def read_keys(binary: bytes) -> PublicKeys:
    """The keys in a keyring; HadebError if none of them can sign."""
    with keyring_file(binary) as keyring:
        listed = run(
            # Without --homedir, gpg would create a directory in the user's home.
            (
                *("gpg", "--batch", "--no-tty", "--homedir", str(keyring.parent)),
                *("--with-colons", "--fixed-list-mode", "--show-keys", str(keyring)),
            ),
            check=False,
        )
    keys = tuple(_parse_keys(listed.stdout))
    if listed.returncode != 0 or not keys:
        raise HadebError("it holds no keys that gpg can read")
    return PublicKeys(binary, keys)


@contextmanager
def keyring_file(binary: bytes) -> Iterator[Path]:
    """Public keys as a file, at a path that every verifier can handle."""
    with scratch_directory("keyring") as place:
        keyring = place / "keyring.pgp"
        keyring.write_bytes(binary)
        yield keyring


def full_fingerprint(keychain: Keychain, key: str) -> str:
    """The fingerprint of the secret key that the user names; HadebError unless it is one key."""
    matches = secret_keys(keychain, [key])
    if len(matches) != 1:
        listed = "".join(f"\n  {each.fingerprint} {each.user_id}" for each in matches) or " none"
        raise HadebError(
            f"{key} must name one key that can sign; gpg finds:{listed}",
            hint="name it by its fingerprint",
        )
    return matches[0].fingerprint
