# SPDX-License-Identifier: Apache-2.0
"""x"""

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
    """The keys that sign now; HadebError where one is not here, or all have ended.

    One that has ended is left out, with a warning, as there is one before that.
    """
    keys = secret_keys(writer.keychain, repository.keys)
    for warning in expiry_warnings(keys, writer.now):
        writer.info(warning)
    return public_keys(writer.keychain, unexpired_keys(keys, writer.now))


def try_keys(writer: Writer, repository: Repository) -> PublicKeys:
    """Let the keys sign something that nobody gets, before a repository is known to have them.

    With a key that gpg, a verifier or time refuses, no later command could do anything.
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
