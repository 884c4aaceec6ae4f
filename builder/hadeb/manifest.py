# SPDX-License-Identifier: Apache-2.0
"""From a manifest's text to the model, with every fault at its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from hadeb.cluster_check import cluster_contradictions
from hadeb.control import COMMON_LICENSES
from hadeb.errors import Fault
from hadeb.model import Manifest
from hadeb.tables import Found, read
from hadeb.toml_lines import KeyPath, key_lines, nearest, syntax_fault

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONG_NUMBER = re.compile(r"[0-9_]{1000}")
# A file's name holds 255 bytes; NAME_VERSION_ARCH.deb and what is written beside it need room.
_LONGEST_NAME_AND_VERSION = 180
# A tar header holds eleven octal digits of seconds since 1970.
_LAST_YEAR = 2241
_NO_AGENT = (
    "is missing; begin one with [[agent]], or name in [cluster] the resources of others' agents"
)


@dataclass(frozen=True, slots=True)
class ManifestText:
    """A manifest as it stands in its file: what to call the file, its text and what TOML sees.

    `document` is empty where the text is not TOML; `faults` then says why.
    """

    file: str
    text: str
    document: dict[str, object]
    faults: tuple[Fault, ...] = ()

    def at(self, faults: Iterable[Found]) -> list[Fault]:
        """Give each (path, sentence) the line that its key stands on."""
        found = list(faults)
        lines = key_lines(self.text) if found else {}
        return [
            Fault(self.file, nearest(lines, path), dotted(path), sentence)
            for path, sentence in found
        ]


def dotted(path: KeyPath) -> str:
    """A path as people write it: `agent[0].source`, with quotes around unusual keys."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            name = part if _BARE_KEY.fullmatch(part) else repr(part)
            written += f".{name}" if written else name
    return written


def parse(file: str, content: bytes) -> ManifestText:
    """Parse TOML; never raises, the result carries its faults."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ManifestText(file, "", {}, (Fault(file, line, "", "is not UTF-8 text"),))
    try:
        return ManifestText(file, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_fault(text, error)
        return ManifestText(file, text, {}, (Fault(file, line, "", sentence),))
    except ValueError:
        # What int() says of more digits than it wants to read; it does not say where they are.
        line = next(n for n, each in enumerate(text.split("\n"), 1) if _LONG_NUMBER.search(each))
        return ManifestText(file, text, {}, (Fault(file, line, "", "holds too long a number"),))
    except RecursionError:
        return ManifestText(file, text, {}, (Fault(file, 1, "", "is nested too deeply"),))


def check(source: ManifestText) -> tuple[Manifest | None, list[Found]]:
    """The model, None where it cannot be made, and every fault as (path, sentence)."""
    manifest, faults = read(Manifest, source.document)
    # Looked for in the document, so that it is told in one go with keys that are missing.
    if source.document.get("agent", []) == [] and "cluster" not in source.document:
        faults.append((("agent",), _NO_AGENT))
    if manifest is not None:
        faults.extend(_contradictions(manifest))
    return manifest, faults


def _contradictions(manifest: Manifest) -> Iterable[Found]:
    """What each key allows but the keys together do not."""
    newest = manifest.changelog[0].version
    if newest != manifest.package.version:
        where = f"is {newest}, but the package is {manifest.package.version}"
        remedy = "the first entry must be the version that is built"
        yield ("changelog", 0, "version"), f"{where}; {remedy}"
    if manifest.changelog[0].date.year > _LAST_YEAR:
        sentence = f"is after {_LAST_YEAR}, where the times of a package's files end"
        yield ("changelog", 0, "date"), sentence
    package = manifest.package
    if package.license not in COMMON_LICENSES and not package.license_file:
        yield (
            ("package", "license"),
            f"{package.license!r} is not among Debian's common licenses; give license-file too",
        )
    if len(package.name) + len(package.version) > _LONGEST_NAME_AND_VERSION:
        limit = f"{_LONGEST_NAME_AND_VERSION} characters"
        yield ("package", "name"), f"and version are together longer than {limit}"
    yield from _agent_contradictions(manifest)
    yield from _daemon_contradictions(manifest)
    yield from cluster_contradictions(manifest)
    for index, entry in enumerate(manifest.file):
        in_etc = entry.path.startswith("/etc/")
        if in_etc and entry.conffile is False:
            sentence = "cannot be false in /etc, where Debian keeps the administrator's changes"
            yield ("file", index, "conffile"), sentence
        if entry.conffile and not in_etc:
            yield ("file", index, "conffile"), "cannot be true outside /etc (Debian Policy 10.7.2)"
    for index, page in enumerate(manifest.package.manpages):
        if not re.fullmatch(r"(?:.*/)?[^/]+\.[1-9][a-z]*", page):
            sentence = f"{page!r} must end in its section, as in greeterd.8"
            yield ("package", "manpages", index), sentence


def _agent_contradictions(manifest: Manifest) -> Iterable[Found]:
    seen: set[tuple[str, str]] = set()
    for index, agent in enumerate(manifest.agent):
        name = agent.source.rpartition("/")[2]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            sentence = f"{name!r} cannot be an agent's type; use letters, digits, '-', '_' and '.'"
            yield ("agent", index, "source"), sentence
        if (agent.provider, name) in seen:
            yield ("agent", index, "source"), f"ocf:{agent.provider}:{name} is there already"
        seen.add((agent.provider, name))


def _daemon_contradictions(manifest: Manifest) -> Iterable[Found]:
    daemon, service = manifest.daemon, manifest.service
    if daemon and not (daemon.python or daemon.executables):
        yield ("daemon",), "names nothing; give python or executables, or leave the table out"
    if daemon and not daemon.python:
        for key in ("packages", "dependencies"):
            if getattr(daemon, key):
                yield ("daemon", key), "belongs to a Python daemon; give python too"
    if service and "+" in manifest.package.name:
        yield ("package", "name"), "holds a '+', which the name of a systemd unit cannot hold"
    if service and service.watchdog and service.type != "notify":
        yield ("service", "watchdog"), 'needs type = "notify": only such a daemon sends WATCHDOG=1'
