# SPDX-License-Identifier: Apache-2.0
"""The environment and the working directory, read in one place."""

from __future__ import annotations

import os
import pwd
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hadeb.errors import HadebError, UsageError


@dataclass(frozen=True, slots=True)
class Context:
    """The environment variables that hadeb uses, and the directory it was called in.

    `source_date_epoch` is in seconds since 1970. `cache` is for the images of lab nodes. `who` is
    USER@HOST, for the history of a repository, and `uid` the user's number; under sudo, those of
    its caller. `runtime` is for files that must not survive a reboot.
    """

    directory: Path
    source_date_epoch: int | None
    maintainer: str | None
    cache: Path
    is_root: bool
    who: str
    uid: int
    runtime: Path


def from_environment(environment: Mapping[str, str] | None = None) -> Context:
    """Read the context; raises UsageError if a variable makes no sense."""
    variables = os.environ if environment is None else environment
    is_root = os.geteuid() == 0
    name, address = variables.get("DEBFULLNAME"), variables.get("DEBEMAIL")
    return Context(
        directory=_directory(),
        source_date_epoch=_epoch(variables.get("SOURCE_DATE_EPOCH")),
        maintainer=f"{name} <{address}>" if name and address else None,
        cache=_cache(variables, is_root=is_root),
        is_root=is_root,
        who=_who(variables),
        uid=_uid(variables) if is_root else os.geteuid(),
        runtime=_runtime(variables, is_root=is_root),
    )


def _directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise HadebError(
            "the current directory is gone", hint="change to one that exists"
        ) from error


def _epoch(value: str | None) -> int | None:
    if not value:
        return None
    # A tar header holds eleven octal digits, and int() refuses thousands of digits.
    if not re.fullmatch("[0-9]{1,20}", value) or int(value) >= 8**11:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {value!r}, which is not a time in seconds since 1970",
            hint="unset it, or set it as in: SOURCE_DATE_EPOCH=$(git log -1 --pretty=%ct)",
        )
    return int(value)


def _who(variables: Mapping[str, str]) -> str:
    """USER@HOST of the caller, also under sudo."""
    try:
        user = variables.get("SUDO_USER") or pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = f"uid {os.geteuid()}"
    return f"{user}@{os.uname().nodename}"


def _uid(variables: Mapping[str, str]) -> int:
    """The number of the user who called sudo, or root's."""
    caller = variables.get("SUDO_UID", "")
    return int(caller) if caller.isdecimal() and len(caller) <= 10 else os.geteuid()


def _runtime(variables: Mapping[str, str], *, is_root: bool) -> Path:
    """XDG_RUNTIME_DIR or the user's directory below /run, else that of temporary files."""
    own = Path("/run" if is_root else f"/run/user/{os.geteuid()}")
    for place in (Path(variables.get("XDG_RUNTIME_DIR") or own), own):
        try:
            if place.is_absolute() and place.is_dir() and place.stat().st_uid == os.geteuid():
                return place
        except OSError:
            # It belongs to another user, as after su.
            pass
    return Path(tempfile.gettempdir())


def _cache(variables: Mapping[str, str], *, is_root: bool) -> Path:
    if chosen := variables.get("HADEB_CACHE"):
        return Path(chosen)
    if is_root:
        return Path("/var/cache/hadeb")
    if base := variables.get("XDG_CACHE_HOME"):
        return Path(base, "hadeb")
    try:
        return Path.home() / ".cache" / "hadeb"
    except RuntimeError:
        # A user without a home directory can still build; the lab needs root anyway.
        return Path("/var/cache/hadeb")
