# SPDX-License-Identifier: Apache-2.0
"""When keys expire: which are still valid, and warnings in time. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from hadeb.errors import HadebError
from hadeb.repo.model.keys import Key

# Days before a key expires from which each command warns.
WARN_DAYS = 90


def unexpired_keys(keys: Sequence[Key], now: datetime.datetime) -> list[Key]:
    """The keys that have not expired; HadebError if all have."""
    valid = [key for key in keys if key.expires is None or key.expires > now]
    if keys and not valid:
        last = keys[-1]
        raise HadebError(
            f"the signing key {last.fingerprint} expired on {last.expires:%Y-%m-%d}",
            hint=f"extend it: {_extend_command(last)}; or add a new key: hadeb repo key add",
        )
    return valid


def expiry_warnings(keys: Sequence[Key], now: datetime.datetime) -> list[str]:
    """A sentence for each key that has expired or soon will."""
    warnings = []
    for key in keys:
        if key.expires is None:
            continue
        days = (key.expires - now).days
        if key.expires <= now:
            warnings.append(
                f"the signing key {key.fingerprint} expired on {key.expires:%Y-%m-%d} and no "
                f"longer signs: hadeb repo key drop {key.fingerprint}, or {_extend_command(key)}"
            )
        elif days < WARN_DAYS:
            expires = f"expires in {days} days, on {key.expires:%Y-%m-%d}"
            warnings.append(f"the signing key {key.fingerprint} {expires}: {_extend_command(key)}")
    return warnings


def _extend_command(key: Key) -> str:
    return f"gpg --quick-set-expire {key.fingerprint} 3y"
