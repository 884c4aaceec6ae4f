# SPDX-License-Identifier: Apache-2.0
"""A repository's public keys as clients get them. Pure values."""

from __future__ import annotations

import base64
import binascii
import datetime
import functools
from dataclasses import dataclass

_CRC_START, _CRC_POLYNOMIAL = 0xB704CE, 0x1864CFB


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key. `fingerprint` is in hex; `expires` is in UTC, None if never."""

    fingerprint: str
    user_id: str
    expires: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """All keys that sign now, in the order of use.

    `binary` is the output of `gpg --export`: one keyring with all keys.
    """

    binary: bytes
    keys: tuple[Key, ...]

    @property
    def armored(self) -> str:
        """The keyring as text, in one block: apt of Debian 12 reads only the first block."""
        return _armored(self.binary)

    @property
    def signed_by(self) -> str:
        """The Signed-By field with the keys embedded (sources.list(5)), without a final newline."""
        lines = (line or "." for line in self.armored.splitlines())
        return "\n".join(["Signed-By:", *(f" {line}" for line in lines)])


@functools.cache
def _armored(binary: bytes) -> str:
    """ASCII armor (RFC 4880, 6.2), with the checksum that older programs expect.

    `gpg --enarmor` would add a comment and call it an ARMORED FILE. The text is part of the keyring
    package, whose bytes must not change.
    """
    lines = [
        binascii.b2a_base64(binary[start : start + 48]).decode()
        for start in range(0, len(binary), 48)
    ]
    checksum = base64.b64encode(_crc24(binary).to_bytes(3, "big")).decode()
    return (
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{''.join(lines)}={checksum}\n"
        "-----END PGP PUBLIC KEY BLOCK-----\n"
    )


def _crc24(content: bytes) -> int:
    """The checksum of RFC 4880, 6.1."""
    crc = _CRC_START
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
    return crc
