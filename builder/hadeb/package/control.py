# SPDX-License-Identifier: Apache-2.0
"""A package's texts in Debian's formats: control fields, changelog, license paragraph. Pure."""

from __future__ import annotations

import gzip
import re
import textwrap
from collections.abc import Iterable, Sequence

from hadeb.bundle.model import Bundle
from hadeb.bundle.python_project import minimum_python
from hadeb.debian.dates import rfc5322, utc
from hadeb.debian.licenses import COMMON_LICENSES
from hadeb.debian.relations import parse_alternatives
from hadeb.manifest.model import ChangelogTable
from hadeb.package.model import Entry, File

# Deflated, no name, no time, best compression, Unix.
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"

# Long URLs stay whole, and a reader that joins the lines again finds no blank inside a word.
_FILLED = textwrap.TextWrapper(78, break_long_words=False, break_on_hyphens=False)
_CHANGE = textwrap.TextWrapper(
    78,
    initial_indent="  * ",
    subsequent_indent="    ",
    break_long_words=False,
    break_on_hyphens=False,
)


def control_fields(bundle: Bundle, entries: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """The fields of the control file in its usual order (Debian Policy 5.3)."""
    package, relations = bundle.manifest.package, bundle.manifest.relations
    fields = {
        "Package": package.name,
        "Version": package.version,
        "Architecture": package.architecture,
        "Maintainer": bundle.maintainer,
        "Installed-Size": str(installed_size(entries)),
        "Pre-Depends": ", ".join(relations.pre_depends),
        "Depends": ", ".join((*relations.depends, *needed(bundle))),
        "Recommends": ", ".join(relations.recommends),
        "Suggests": ", ".join(relations.suggests),
        "Enhances": ", ".join(relations.enhances),
        "Conflicts": ", ".join(relations.conflicts),
        "Breaks": ", ".join(relations.breaks),
        "Replaces": ", ".join(relations.replaces),
        "Provides": ", ".join(relations.provides),
        "Section": package.section,
        "Priority": package.priority,
        "Homepage": package.homepage or "",
        "Description": description(package.summary, package.description),
    }
    return tuple((name, value) for name, value in fields.items() if value)


def needed(bundle: Bundle) -> Iterable[str]:
    """The relations that every bundle of its kind needs, unless the manifest has them itself."""
    # The maintainer scripts and the crash hook call crm_mon, which pacemaker does not depend on.
    # A node has pacemaker or pacemaker-remote, and either runs agents.
    wanted = ["pacemaker | pacemaker-remote", "pacemaker-cli-utils", "resource-agents"]
    if bundle.project:
        lowest = minimum_python(bundle.project.requires_python)
        wanted.append(f"python3 (>= {lowest})" if lowest else "python3")
    relations = bundle.manifest.relations
    named = {
        name
        for relation in (*relations.depends, *relations.pre_depends)
        for name in _names(relation)
    }
    return (relation for relation in wanted if named.isdisjoint(_names(relation)))


def _names(relation: str) -> set[str]:
    """The packages that a relation is about."""
    return {alternative.name for alternative in parse_alternatives(relation)}


def installed_size(entries: Sequence[Entry]) -> int:
    """Size in KiB as dpkg-gencontrol counts it: files rounded up, 1 per link or directory."""
    directories = {parent for entry in entries for parent in _parents(entry.path)}
    files = sum(
        -(-len(entry.content) // 1024) if isinstance(entry, File) else 1 for entry in entries
    )
    return files + len(directories) + 1


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def description(summary: str, text: str) -> str:
    """The Description field: paragraphs are wrapped, indented lines kept (Policy 5.6.13)."""
    lines = [summary]
    # dpkg refuses a line of blanks within a paragraph; treat it as an empty line.
    text = re.sub(r"(?m)^[^\S\n]+$", "", text)
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        if not paragraph:
            continue
        if len(lines) > 1:
            lines.append(" .")
        if any(line.startswith((" ", "\t")) for line in paragraph.splitlines()):
            lines.extend(f" {line.rstrip()}" for line in paragraph.expandtabs().splitlines())
        else:
            lines.extend(f" {line}" for line in _FILLED.wrap(paragraph))
    return "\n".join(lines)


def changelog(name: str, maintainer: str, entries: Iterable[ChangelogTable]) -> str:
    """A Debian changelog, newest entry first as in the manifest (Debian Policy 4.4)."""
    return "\n".join(_changelog_entry(name, maintainer, entry) for entry in entries)


def _changelog_entry(name: str, maintainer: str, entry: ChangelogTable) -> str:
    changes = "\n".join(_CHANGE.fill(change) for change in entry.changes)
    head = f"{name} ({entry.version}) unstable; urgency={entry.urgency}"
    return f"{head}\n\n{changes}\n\n -- {entry.author or maintainer}  {rfc5322(utc(entry.date))}\n"


def license_text(license_id: str, own_text: str | None) -> str:
    """What follows `License:` in the copyright file, each line indented by one blank."""
    if own_text is None:
        common = f"/usr/share/common-licenses/{COMMON_LICENSES[license_id]}"
        own_text = f"On Debian systems the full text of this license is in\n{common}."
    lines = own_text.rstrip("\n").splitlines()
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in lines)


def gzipped(content: bytes) -> bytes:
    """A file of documentation, compressed as Debian Policy 12.3 and 12.7 ask for."""
    # Python releases differ in the byte that names the operating system (RFC 1952, 2.3).
    return _GZIP_HEADER + gzip.compress(content, 9, mtime=0)[len(_GZIP_HEADER) :]
