# SPDX-License-Identifier: Apache-2.0
"""The public keys of a repository, as clients get them. Pure values."""

from __future__ import annotations

import base64
import datetime
import functools
from dataclasses import dataclass

_CRC_START, _CRC_POLYNOMIAL = 0xB704CE, 0x864CFB


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signs. `fingerprint` is in hex; `expires` is in UTC, None means never."""

    fingerprint: str
    user_id: str
    expires: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """All keys that may sign now, in the order of use.

    `binary` is what `gpg --export` writes: one keyring with all of them.
    """

    binary: bytes
    keys: tuple[Key, ...]

    @property
    def armored(self) -> str:
        """The keyring as text, in a single block: apt of Debian 12 reads no further than one."""
        return _armored(self.binary)

    @property
    def signed_by(self) -> str:
        """The keyring as a field of a .sources file, embedded (sources.list(5)); no newline."""
        lines = (line or "." for line in self.armored.splitlines())
        return "\n".join(["Signed-By:", *(f" {line}" for line in lines)])


@functools.cache
def _armored(binary: bytes) -> str:
    """ASCII armor (RFC 4880, 6.2), with the checksum that later standards no longer ask for."""
    text = base64.b64encode(binary).decode()
    body = [text[start : start + 64] for start in range(0, len(text), 64)]
    checksum = base64.b64encode(_crc(binary).to_bytes(3, "big")).decode()
    return "\n".join(
        [
            "-----BEGIN PGP PUBLIC KEY BLOCK-----",
            "",
            *body,
            f"={checksum}",
            "-----END PGP PUBLIC KEY BLOCK-----",
            "",
        ]
    )


def _crc(content: bytes) -> int:
    """The checksum of RFC 4880, 6.1."""
    table = _crc_table()
    crc = _CRC_START
    for byte in content:
        crc = (crc << 8 & 0xFFFFFF) ^ table[crc >> 16 ^ byte]
    return crc


@functools.cache
def _crc_table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        crc = byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL | 0x1000000
        rows.append(crc)
    return tuple(rows)
