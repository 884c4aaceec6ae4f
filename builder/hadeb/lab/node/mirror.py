# SPDX-License-Identifier: Apache-2.0
"""Where this machine takes Debian from, read from its own apt, in whatever form it is kept.

`apt-get indextargets` speaks for one-line and deb822 sources alike; only who signs an archive has
to be read from the entry itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.debian.deb822 import fields, paragraphs
from hadeb.errors import HadebError
from hadeb.run import run

_FORMAT = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)|$(SOURCESENTRY)"
# How apt reaches the mirror; proxies and certificates, but nothing about what it does with it.
_CARRIED = re.compile(r"Acquire::(https?|ForceIPv[46]|Retries)\b")


@dataclass(frozen=True, slots=True)
class Target:
    """One index that apt is configured to fetch; an empty origin was never fetched."""

    uri: str
    release: str
    component: str
    origin: str
    label: str
    entry: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Debian's main archive as this machine reaches it; `signed_by` is as in a sources entry."""

    uri: str
    signed_by: str = ""
    trusted: bool = False

    def line(self, suite: str, keyring: str = "") -> str:
        """The one-line entry for another suite of the same archive."""
        options = [f"signed-by={keyring}"] if keyring else []
        options += ["trusted=yes"] if self.trusted else []
        bracket = f"[{' '.join(options)}] " if options else ""
        return f"deb {bracket}{self.uri} {suite} main"


def debian_archive() -> Archive:
    """The archive this machine's apt uses; HadebError where it has no Debian."""
    # Without a Release file, never fetched or cleaned away, apt lists only what it is told to.
    target = choose(_targets() or _targets("--option=APT::Get::IndexTargets::ReleaseInfo=false"))
    path, _, number = target.entry.rpartition(":")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return Archive(target.uri)
    options = entry_options(text, int(number), deb822=path.endswith(".sources"))
    return Archive(
        target.uri,
        signed_by=options.get("signed-by", ""),
        trusted=options.get("trusted", "") == "yes",
    )


def _targets(*options: str) -> list[Target]:
    argv = ["apt-get", *options, "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    return parse_targets(run(argv).stdout.splitlines())


def transport_options() -> list[str]:
    """The machine's apt settings for proxies and TLS, as lines of an apt.conf."""
    lines = run(["apt-config", "dump"]).stdout.splitlines()
    return [line for line in lines if _CARRIED.match(line) and not line.endswith(' "";')]


def parse_targets(lines: Iterable[str]) -> list[Target]:
    """The lines of `apt-get indextargets` in our format; a field apt does not know stays empty."""
    rows = (line.split("|") for line in lines if line.count("|") == 5)
    return [Target(*("" if field.startswith("$(") else field for field in row)) for row in rows]


def choose(targets: Sequence[Target]) -> Target:
    """Debian's main archive among them: not its updates, not its security archive, not others."""
    main = [target for target in targets if target.component == "main"]
    for target in main:
        if target.origin == "Debian" and target.label == "Debian" and "-" not in target.release:
            return target
    # Never fetched yet, so only the names speak.
    for target in main:
        looks_so = "security" not in target.uri and "-" not in target.release
        if not target.origin and looks_so and "debian" in target.uri:
            return target
    raise HadebError(
        "apt on this machine knows no Debian archive to make the lab's nodes from",
        hint="add a source for Debian's main archive and run apt-get update",
    )


def entry_options(text: str, number: int, *, deb822: bool) -> dict[str, str]:
    """The options of the sources entry that apt calls `number`: a line, or in deb822 a stanza."""
    if deb822:
        return _stanza(text, number)
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    found = re.match(r"\s*deb\s+\[([^]]*)\]", line)
    pairs = (option.partition("=") for option in (found[1].split() if found else ()))
    return {key.lower(): value for key, _, value in pairs}


def _stanza(text: str, number: int) -> dict[str, str]:
    stanza = next(itertools.islice(paragraphs(text), number - 1, None), "") if number > 0 else ""
    return fields(stanza)
