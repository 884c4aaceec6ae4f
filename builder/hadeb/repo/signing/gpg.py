# SPDX-License-Identifier: Apache-2.0
"""Signatures, by gpg with the user's keys, and the two verifiers that Debian's apt uses.

apt of Debian 12 verifies with gpgv, that of 13 with sqv, which refuses more: a signature counts
here when both take it.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.files.scratch import scratch_directory
from hadeb.repo.model.keys import Key, PublicKeys
from hadeb.run import Completed, run

# Seconds that gpg has where it asks nobody, and after which we say whom it may be asking.
_PATIENCE = 60.0
_SAID_AFTER = 3.0
# Days before a key's end from which each command warns.
WARN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Keychain:
    """Whose secret keys gpg uses: the user's own where `home` is None."""

    home: Path | None = None
    passphrase_file: Path | None = None

    def gpg(self, *arguments: str, check: bool = True, may_ask: bool = False) -> Completed:
        """Run gpg with these keys, never asking on a terminal where a passphrase is given.

        Where it `may_ask` a person for one, it has all the time that they take.
        """
        home = () if self.home is None else ("--homedir", str(self.home))
        secret: tuple[str, ...] = ()
        if self.passphrase_file is not None:
            secret = ("--pinentry-mode", "loopback", "--passphrase-file", str(self.passphrase_file))
        argv = ("gpg", "--batch", "--no-tty", *home, *secret, *arguments)
        asks = may_ask and self.passphrase_file is None
        return run(argv, check=check, timeout=None if asks else _PATIENCE)


@contextmanager
def throw_away() -> Iterator[Keychain]:
    """A keychain that is empty, and gone afterwards."""
    with scratch_directory("keys") as home:
        try:
            yield Keychain(home)
        finally:
            end_agent(home)


def end_agent(home: Path) -> None:
    """End the gpg-agent of a directory of keys that is about to go."""
    try:
        run(("gpgconf", "--homedir", str(home), "--kill", "gpg-agent"), check=False)
    except HadebError:
        # What was asked for is done; an agent ends by itself when its directory is gone.
        pass


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
        if fields[0] in {"sec", "pub"}:
            if fingerprint and ends:
                yield Key(fingerprint, user_id, _end(primary_ends, ends))
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


def _end(primary: str, ends: Sequence[str]) -> datetime.datetime | None:
    last = None if "" in ends else max(int(end) for end in ends)
    if primary:
        last = int(primary) if last is None else min(last, int(primary))
    return None if last is None else datetime.datetime.fromtimestamp(last, datetime.UTC)


def living(keys: Sequence[Key], now: datetime.datetime) -> list[Key]:
    """The keys that have not ended; HadebError where all have."""
    alive = [key for key in keys if key.expires is None or key.expires > now]
    if keys and not alive:
        last = keys[-1]
        raise HadebError(
            f"the signing key {last.fingerprint} ended on {last.expires:%Y-%m-%d}",
            hint=f"let it live longer: {_longer(last)}; or take a new one: hadeb repo key add",
        )
    return alive


def warnings(keys: Sequence[Key], now: datetime.datetime) -> list[str]:
    """A sentence for each key that soon ends, or has."""
    found = []
    for key in keys:
        if key.expires is None:
            continue
        days = (key.expires - now).days
        if key.expires <= now:
            found.append(
                f"the signing key {key.fingerprint} ended on {key.expires:%Y-%m-%d} and signs no "
                f"more: hadeb repo key drop {key.fingerprint}, or {_longer(key)}"
            )
        elif days < WARN_DAYS:
            ends = f"ends in {days} days, on {key.expires:%Y-%m-%d}"
            found.append(f"the signing key {key.fingerprint} {ends}: {_longer(key)}")
    return found


def _longer(key: Key) -> str:
    return f"gpg --quick-set-expire {key.fingerprint} 3y"


def public_keys(keychain: Keychain, keys: Sequence[Key]) -> PublicKeys:
    """What clients need of these keys, and not who vouches for them."""
    fingerprints = [key.fingerprint for key in keys]
    options = ("--export-options", "export-minimal")
    exported = keychain.gpg(*options, "--export", *fingerprints)
    return PublicKeys(exported.stdout_bytes, tuple(keys))


def read_keys(binary: bytes) -> PublicKeys:
    """What a keyring holds; HadebError where it holds no key that signs."""
    with keyring_file(binary) as keyring:
        listed = run(
            # Without a directory of its own gpg makes one in the user's home.
            (
                *("gpg", "--batch", "--no-tty", "--homedir", str(keyring.parent)),
                *("--with-colons", "--fixed-list-mode", "--show-keys", str(keyring)),
            ),
            check=False,
        )
    keys = tuple(_parse_keys(listed.stdout))
    if listed.returncode != 0 or not keys:
        raise HadebError("it holds no keys that gpg reads")
    return PublicKeys(binary, keys)


@contextmanager
def keyring_file(binary: bytes) -> Iterator[Path]:
    """Public keys as a file for verifiers, at a path that none of them trips over."""
    with scratch_directory("keyring") as place:
        keyring = place / "keyring.pgp"
        keyring.write_bytes(binary)
        yield keyring


def sign(
    keychain: Keychain, keys: Sequence[Key], directory: Path, info: Callable[[str], None]
) -> None:
    """Sign a generation by every key: InRelease, which is all that apt needs.

    It comes alone and first: gpg-agent writes the file of a key that was just imported anew when it
    is first used, in place, and stumbles where it reads it meanwhile for another.
    """
    _sign(keychain, keys, directory, info, [("--clearsign", "Release", "InRelease")])


def sign_apart(
    keychain: Keychain, keys: Sequence[Key], directory: Path, info: Callable[[str], None]
) -> None:
    """The other signatures of a generation: Release.gpg and manifest.json.asc."""
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
    with _said_when_late(
        info, f"waiting for gpg, which may be asking for the passphrase of {names}"
    ):
        # One after the other: apt, which takes longer, wants a processor besides.
        for how, signed, signature in wanted:
            try:
                # gpg writes to us alone: where we are killed while it waits for a passphrase, it
                # lives on, and would write into what the next command makes under the same name.
                made = keychain.gpg(
                    *options, "--output", "-", how, str(directory / signed), may_ask=True
                )
            except CommandFailed as error:
                raise HadebError(
                    f"gpg does not sign: {last_line(error.stderr)}",
                    hint="does gpg-agent have the key's passphrase? Else name --passphrase-file",
                ) from error
            (directory / signature).write_bytes(made.stdout_bytes)


@contextmanager
def _said_when_late(info: Callable[[str], None], text: str) -> Iterator[None]:
    timer = threading.Timer(_SAID_AFTER, info, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


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
                f"{argv[0]} refuses the signature of {Path(argv[-1]).name}: "
                f"{last_line(error.stderr)}",
                hint="sign with an Ed25519 key; sqv -v says which rule an old key breaks",
            ) from error

    # One after the other: apt, which takes longer than all of them, wants a processor besides.
    for argv in wanted:
        one(argv)


def last_line(text: str) -> str:
    """What a program said in the end."""
    return (text.strip().splitlines() or ["it says nothing"])[-1]
