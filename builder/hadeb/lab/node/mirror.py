# SPDX-License-Identifier: Apache-2.0
"""The mirror that this machine gets Debian from, read from its own apt.

`apt-get indextargets` covers one-line and deb822 sources alike. Only the key that signs an archive
has to be read from the sources entry itself.
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
# How apt reaches the mirror: proxies and certificates, but no other setting.
_CARRIED = re.compile(r"Acquire::(https?|ForceIPv[46]|Retries)\b")


@dataclass(frozen=True, slots=True)
class Target:
    """One index that apt is configured to fetch; the origin is empty if it never has been."""

    uri: str
    release: str
    component: str
    origin: str
    label: str
    entry: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Debian's main archive as this machine reaches it; `signed_by` is from the sources entry."""

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
    """The archive that this machine's apt uses; HadebError if it has no Debian archive."""
    # If it has no Release file, because that was never fetched or was deleted, apt has to be told
    # to list the target anyway.
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
    """The targets in the output of `apt-get indextargets`; a field apt does not know is empty."""
    rows = (line.split("|") for line in lines if line.count("|") == 5)
    return [Target(*("" if field.startswith("$(") else field for field in row)) for row in rows]


def choose(targets: Sequence[Target]) -> Target:
    """Debian's main archive among them: not its updates, its security archive or any other."""
    main = [target for target in targets if target.component == "main"]
    for target in main:
        if target.origin == "Debian" and target.label == "Debian" and "-" not in target.release:
            return target
    # Never fetched yet, so only the names can tell.
    for target in main:
        looks_so = "security" not in target.uri and "-" not in target.release
        if not target.origin and looks_so and "debian" in target.uri:
            return target
    raise HadebError(
        "apt on this machine knows no Debian archive to make the lab's nodes from",
        hint="add a source for Debian's main archive and run apt-get update",
    )


def entry_options(text: str, number: int, *, deb822: bool) -> dict[str, str]:
    """The options of the sources entry with apt's `number`: a line, or in deb822 a stanza."""
    if deb822:
        return _stanza(text, number)
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    match = re.match(r"\s*deb\s+\[([^]]*)\]", line)
    pairs = (option.partition("=") for option in (match[1].split() if match else ()))
    return {key.lower(): value for key, _, value in pairs}


def _stanza(text: str, number: int) -> dict[str, str]:
    stanza = next(itertools.islice(paragraphs(text), number - 1, None), "") if number > 0 else ""
    return fields(stanza)
