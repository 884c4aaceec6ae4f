# SPDX-License-Identifier: Apache-2.0
"""The keys that sign a repository now."""

from __future__ import annotations

from hadeb.files.scratch import scratch_directory
from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.model.repository import Repository
from hadeb.repo.session.writer import Writer
from hadeb.repo.signing.expiry import expiry_warnings, unexpired_keys
from hadeb.repo.signing.keychain import keyring_file, public_keys, secret_keys
from hadeb.repo.signing.sign_release import sign_detached, sign_in_release
from hadeb.repo.signing.verify_signatures import verify_signatures


def current_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """The keys that sign now; HadebError if a key is missing or all have expired.

    An expired key is left out. The user gets a warning then, and also some time before a key
    expires.
    """
    keys = secret_keys(writer.keychain, repository.keys)
    for warning in expiry_warnings(keys, writer.now):
        writer.info(warning)
    return public_keys(writer.keychain, unexpired_keys(keys, writer.now))


def try_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """Test the keys in a scratch directory before the repository records them.

    If gpg or a verifier refused a recorded key, or it had expired, no later command could work.
    """
    keys = current_keys(writer, repository)
    with (
        keyring_file(keys.binary) as keyring,
        scratch_directory("trial") as directory,
    ):
        for file in ("Release", "manifest.json"):
            (directory / file).write_text("a trial\n", encoding="utf-8")
        sign_in_release(writer.keychain, keys.keys, directory, writer.info)
        sign_detached(writer.keychain, keys.keys, directory, writer.info)
        verify_signatures(keyring, directory, len(keys.keys))
    return keys
