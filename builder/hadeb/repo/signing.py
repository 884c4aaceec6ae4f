# SPDX-License-Identifier: Apache-2.0
"""Signatures, by gpg with the user's keys, and the two verifiers that Debian's apt uses.

apt of Debian 12 verifies with gpgv, that of 13 with sqv, which refuses more: a signature counts
here when both take it.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.at_once import at_once
from hadeb.errors import CommandFailed, HadebError
from hadeb.repo.keys import Key, PublicKeys
from hadeb.repo.throwaway import throwaway
from hadeb.run import Completed, run

# Days before a key's end from which each command warns.
WARN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Keychain:
    """Whose secret keys gpg uses: the user's own where `home` is None."""

    home: Path | None = None
    passphrase_file: Path | None = None

    def gpg(self, *arguments: str, check: bool = True) -> Completed:
        """Run gpg with these keys, never asking on a terminal where a passphrase is given."""
        home = () if self.home is None else ("--homedir", str(self.home))
        secret: tuple[str, ...] = ()
        if self.passphrase_file is not None:
            secret = ("--pinentry-mode", "loopback", "--passphrase-file", str(self.passphrase_file))
        return run(("gpg", "--batch", "--no-tty", *home, *secret, *arguments), check=check)


@contextmanager
def from_key_file(key_file: Path, passphrase_file: Path | None) -> Iterator[Keychain]:
    """A keychain of its own with the secret keys of a file; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hadeb-keys-") as name:
        keychain = Keychain(Path(name), passphrase_file)
        try:
            keychain.gpg("--quiet", "--import", str(key_file))
            yield keychain
        except CommandFailed as error:
            if "--import" not in error.argv:
                raise
            raise HadebError(
                f"{key_file} holds no secret key that gpg reads: {_last_line(error.stderr)}",
                hint="make one: gpg --armor --export-secret-keys FINGERPRINT >FILE",
            ) from error
        finally:
            run(("gpgconf", "--homedir", name, "--kill", "gpg-agent"), check=False)


def make_key(keychain: Keychain, user_id: str) -> str:
    """Make an Ed25519 key for signatures alone, valid for three years; its fingerprint."""
    made = keychain.gpg(
        # Of a command that was killed before it could write down its key, one of that name may be
        # there; gpg would make no other.
        *("--yes", "--status-fd", "1", "--pinentry-mode", "loopback", "--passphrase", ""),
        *("--quick-generate-key", user_id, "ed25519", "sign", "3y"),
    )
    created = [line.split() for line in made.stdout.splitlines() if " KEY_CREATED " in line]
    return created[0][3]


def secret_keys(keychain: Keychain, fingerprints: Sequence[str] = ()) -> list[Key]:
    """The keys that can sign, all of them or those named; HadebError where one is not there."""
    listed = keychain.gpg(
        "--with-colons", "--fixed-list-mode", "--list-secret-keys", *fingerprints, check=False
    )
    if listed.returncode != 0 and fingerprints:
        raise HadebError(
            f"gpg has no secret key {', '.join(fingerprints)}",
            hint="import it here, or name a file that holds it with --key-file",
        )
    return list(_parse_keys(listed.stdout))


def _parse_keys(listing: str) -> Iterator[Key]:
    """Keys from `gpg --with-colons` (doc/DETAILS of GnuPG): a subkey's end is that of its key."""
    fingerprint, user_id, primary_ends, ends = "", "", "", list[str]()
    for line in [*listing.splitlines(), "sec:"]:
        fields = line.split(":")
        if fields[0] == "sec":
            if fingerprint and ends:
                yield Key(fingerprint, user_id, _end(primary_ends, ends))
            if len(fields) < 12:
                return
            fingerprint, user_id, primary_ends, ends = "", "", fields[6], []
            if "s" in fields[11]:
                ends.append(fields[6])
        elif fields[0] == "ssb" and "s" in fields[11] and fields[1] not in {"r", "i"}:
            ends.append(fields[6])
        elif fields[0] == "fpr" and not fingerprint:
            fingerprint = fields[9]
        elif fields[0] == "uid" and not user_id:
            user_id = fields[9].replace(r"\x3a", ":")


def _end(primary: str, ends: Sequence[str]) -> datetime.datetime | None:
    last = None if "" in ends else max(int(end) for end in ends)
    if primary:
        last = int(primary) if last is None else min(last, int(primary))
    return None if last is None else datetime.datetime.fromtimestamp(last, datetime.UTC)


def check_expiry(keys: Sequence[Key], now: datetime.datetime) -> list[str]:
    """A warning for each key that soon ends; HadebError for one that has."""
    warnings = []
    for key in keys:
        if key.expires is None:
            continue
        longer = f"gpg --quick-set-expire {key.fingerprint} 3y"
        if key.expires <= now:
            raise HadebError(
                f"the signing key {key.fingerprint} ended on {key.expires:%Y-%m-%d}",
                hint=f"let it live longer: {longer}; or take a new one: hadeb repo key add",
            )
        days = (key.expires - now).days
        if days < WARN_DAYS:
            ends = f"ends in {days} days, on {key.expires:%Y-%m-%d}"
            warnings.append(f"the signing key {key.fingerprint} {ends}: {longer}")
    return warnings


def public_keys(keychain: Keychain, keys: Sequence[Key]) -> PublicKeys:
    """What clients need of these keys, and not who vouches for them."""
    fingerprints = [key.fingerprint for key in keys]
    options = ("--export-options", "export-minimal")
    exported = keychain.gpg(*options, "--export", *fingerprints)
    return PublicKeys(exported.stdout_bytes, tuple(keys))


@contextmanager
def keyring_file(binary: bytes) -> Iterator[Path]:
    """Public keys as a file for verifiers, at a path that none of them trips over."""
    with throwaway("keyring") as place:
        keyring = place / "keyring.pgp"
        keyring.write_bytes(binary)
        yield keyring


def sign(keychain: Keychain, fingerprints: Sequence[str], directory: Path) -> None:
    """Sign a generation by every key: InRelease, Release.gpg and manifest.json.asc."""
    wanted: tuple[tuple[str, str, str], ...] = (
        ("--clearsign", "Release", "InRelease"),
        ("--detach-sign", "Release", "Release.gpg"),
        ("--detach-sign", "manifest.json", "manifest.json.asc"),
    )
    signers = [word for key in fingerprints for word in ("--local-user", key)]
    options = ("--armor", "--digest-algo", "SHA512", *signers)

    def one(names: tuple[str, str, str]) -> None:
        how, signed, signature = names
        try:
            # gpg writes to us alone: where we are killed while it waits for a passphrase, it lives
            # on, and would write into what the next command makes under the same name.
            made = keychain.gpg(*options, "--output", "-", how, str(directory / signed))
            (directory / signature).write_bytes(made.stdout_bytes)
        except CommandFailed as error:
            raise HadebError(
                f"gpg does not sign: {_last_line(error.stderr)}",
                hint="does gpg-agent have the key's passphrase? Else name --passphrase-file",
            ) from error

    if keychain.home is not None:
        # gpg-agent writes the file of a key that was just imported anew when it is first used, in
        # place, and stumbles where it reads it meanwhile for another.
        one(wanted[0])
        wanted = wanted[1:]
    at_once(one, wanted)


def verify(keyring: Path, directory: Path, count: int) -> None:
    """Hold a generation's signatures against the public keys, as apt's verifiers do."""
    release, manifest = directory / "Release", directory / "manifest.json"
    gpgv = ("gpgv", "--keyring", str(keyring))
    sqv = ("sqv", "--keyring", str(keyring), "--signatures", str(count))
    wanted = [(*gpgv, str(directory / "InRelease"))]
    for verifier in (gpgv, sqv):
        wanted.append((*verifier, f"{release}.gpg", str(release)))
        wanted.append((*verifier, f"{manifest}.asc", str(manifest)))

    def one(argv: Sequence[str]) -> None:
        try:
            run(argv)
        except CommandFailed as error:
            raise HadebError(
                f"{argv[0]} refuses the signature just made: {_last_line(error.stderr)}",
                hint="sign with an Ed25519 key; sqv -v says which rule an old key breaks",
            ) from error

    at_once(one, wanted)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]
