# SPDX-License-Identifier: Apache-2.0
"""What the surroundings say: the environment and the working directory, read in one place."""

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
    """The environment variables that mean something to hadeb, and where it was called.

    `source_date_epoch` is in seconds since 1970; `cache` is where lab images are kept,
    `who` is user and machine, as a history names them; `runtime` is for what must not outlive the
    machine.
    """

    directory: Path
    source_date_epoch: int | None
    maintainer: str | None
    cache: Path
    is_root: bool
    who: str
    runtime: Path


def from_environment(environment: Mapping[str, str] | None = None) -> Context:
    """Read the context; raises UsageError where a variable makes no sense."""
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
        runtime=_runtime(variables, is_root=is_root),
    )


def _directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise HadebError(
            "the directory that hadeb was called in is gone", hint="change to one that exists"
        ) from error


def _epoch(value: str | None) -> int | None:
    if not value:
        return None
    # Eleven octal digits is what a tar header holds; int() refuses some thousand of any kind.
    if not re.fullmatch("[0-9]{1,20}", value) or int(value) >= 8**11:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {value!r}, which is no time in seconds since 1970",
            hint="unset it, or set it as in: SOURCE_DATE_EPOCH=$(git log -1 --pretty=%ct)",
        )
    return int(value)


def _who(variables: Mapping[str, str]) -> str:
    """Who calls, behind sudo, too."""
    try:
        user = variables.get("SUDO_USER") or pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = f"uid {os.geteuid()}"
    return f"{user}@{os.uname().nodename}"


def _runtime(variables: Mapping[str, str], *, is_root: bool) -> Path:
    """A place in memory where there is one that is ours (XDG Base Directory Specification)."""
    own = Path("/run" if is_root else f"/run/user/{os.geteuid()}")
    for place in (Path(variables.get("XDG_RUNTIME_DIR") or own), own):
        try:
            if place.is_absolute() and place.is_dir() and place.stat().st_uid == os.geteuid():
                return place
        except OSError:
            # Somebody else's, as behind su.
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
        # A user without a home can still build; the lab wants root anyway.
        return Path("/var/cache/hadeb")
