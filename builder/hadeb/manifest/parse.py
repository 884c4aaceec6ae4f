# SPDX-License-Identifier: Apache-2.0
"""From a manifest's text to the model, with every finding at its line. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hadeb.debian.licenses import COMMON_LICENSES
from hadeb.errors import Finding
from hadeb.manifest.cluster_rules import cluster_contradictions
from hadeb.manifest.model import Manifest
from hadeb.manifest.reader import Problem, Reading, read
from hadeb.manifest.toml_lines import KeyPath, key_lines, nearest, syntax_error

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONG_NUMBER = re.compile(r"[0-9_]{1000}")
# A file name holds 255 bytes; NAME_VERSION_ARCH.deb and its temporary name need some of them.
_LONGEST_NAME_AND_VERSION = 180
# A tar header holds eleven octal digits of seconds since 1970.
_LAST_YEAR = 2241
_NO_AGENT = "is missing; begin one with [[agent]], or use agents of other packages in [cluster]"


@dataclass(frozen=True, slots=True)
class ManifestText:
    """A TOML file: how to name it, its text, and the document in it.

    If the text is not TOML, `document` is empty and `findings` say why.
    """

    file: str
    text: str
    document: dict[str, object]
    findings: tuple[Finding, ...] = ()

    def at(self, problems: Iterable[Problem]) -> list[Finding]:
        """The problems as findings, each with the line of its key."""
        problems = list(problems)
        lines = key_lines(self.text) if problems else {}
        return [
            Finding(self.file, nearest(lines, path), dotted(path), sentence)
            for path, sentence in problems
        ]


def dotted(path: KeyPath) -> str:
    """A path as people write it, such as `agent[0].source`, with quotes around unusual keys."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            name = part if _BARE_KEY.fullmatch(part) else repr(part)
            written += f".{name}" if written else name
    return written


def parse(file: str, content: bytes) -> ManifestText:
    """Parse TOML; never raises: the result has the findings."""
    try:
        # Some Windows editors put a byte order mark first, which TOML does not admit.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return ManifestText(file, "", {}, (Finding(file, line, "", "is not UTF-8 text"),))
    try:
        return ManifestText(file, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_error(text, error)
        return ManifestText(file, text, {}, (Finding(file, line, "", sentence),))
    except ValueError:
        # int() refuses a number of too many digits and does not say where it is.
        line = next(n for n, each in enumerate(text.split("\n"), 1) if _LONG_NUMBER.search(each))
        return ManifestText(
            file, text, {}, (Finding(file, line, "", "holds a number with too many digits"),)
        )
    except RecursionError:
        return ManifestText(file, text, {}, (Finding(file, 1, "", "is nested too deeply"),))


def check(source: ManifestText) -> tuple[Reading[Manifest], list[Problem]]:
    """The model, as far as it can be read, and everything that is wrong with the document."""
    reading = read(Manifest, source.document)
    problems = [*reading.problems, *reading.unknown_keys]
    # This looks at the document, so that it is reported together with keys that are missing.
    if source.document.get("agent", []) == [] and "cluster" not in source.document:
        problems.append((("agent",), _NO_AGENT))
    for contradictions, keys in _CONTRADICTIONS.items():
        if all(reading.is_valid(*key.split(".")) for key in keys):
            problems.extend(contradictions(reading.value))
    return reading, problems


def _version_contradictions(manifest: Manifest) -> Iterable[Problem]:
    newest = manifest.changelog[0].version
    if newest != manifest.package.version:
        where = f"is {newest}, but the package is {manifest.package.version}"
        remedy = "the first entry must be the version of the package"
        yield ("changelog", 0, "version"), f"{where}; {remedy}"


def _date_contradictions(manifest: Manifest) -> Iterable[Problem]:
    if manifest.changelog[0].date.year > _LAST_YEAR:
        sentence = f"is after {_LAST_YEAR}, the last year that a file in a .deb can have"
        yield ("changelog", 0, "date"), sentence


def _license_contradictions(manifest: Manifest) -> Iterable[Problem]:
    package = manifest.package
    if package.license not in COMMON_LICENSES and not package.license_file:
        yield (
            ("package", "license"),
            f"{package.license!r} is not one of Debian's common licenses; set license-file as well",
        )


def _name_contradictions(manifest: Manifest) -> Iterable[Problem]:
    package = manifest.package
    if len(package.name) + len(package.version) > _LONGEST_NAME_AND_VERSION:
        limit = f"{_LONGEST_NAME_AND_VERSION} characters"
        yield ("package", "name"), f"and version together are longer than {limit}"


def _file_contradictions(manifest: Manifest) -> Iterable[Problem]:
    for index, entry in enumerate(manifest.file):
        in_etc = f"{entry.path}/".startswith("/etc/")
        if in_etc and entry.conffile is False:
            sentence = "cannot be false in /etc, where Debian keeps the administrator's changes"
            yield ("file", index, "conffile"), sentence
        if entry.conffile and not in_etc:
            yield ("file", index, "conffile"), "cannot be true outside /etc (Debian Policy 10.7.2)"


def _manpage_contradictions(manifest: Manifest) -> Iterable[Problem]:
    for index, page in enumerate(manifest.package.manpages):
        if not re.fullmatch(r"(?:.*/)?[^/]+\.[1-9][a-z]*", page):
            sentence = f"{page!r} must end in its section, as in greeterd.8"
            yield ("package", "manpages", index), sentence


def _agent_contradictions(manifest: Manifest) -> Iterable[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, agent in enumerate(manifest.agent):
        name = agent.source.rpartition("/")[2]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            sentence = f"{name!r} cannot be an agent's type; use letters, digits, '-', '_' and '.'"
            yield ("agent", index, "source"), sentence
        if (agent.provider, name) in seen:
            yield ("agent", index, "source"), f"ocf:{agent.provider}:{name} is listed already"
        seen.add((agent.provider, name))


def _daemon_contradictions(manifest: Manifest) -> Iterable[Problem]:
    daemon = manifest.daemon
    if not daemon:
        return
    if not (daemon.python or daemon.executables):
        yield ("daemon",), "names no program; set python or executables, or leave the table out"
    if not daemon.python:
        for key in ("packages", "dependencies"):
            if getattr(daemon, key):
                yield ("daemon", key), "is for a Python daemon; set python as well"
    for index, program in enumerate(daemon.executables):
        if program.rpartition("/")[2] in ("", "."):
            sentence = f"{program!r} must end in the name of the program"
            yield ("daemon", "executables", index), sentence


def _service_contradictions(manifest: Manifest) -> Iterable[Problem]:
    service = manifest.service
    if service and "+" in manifest.package.name:
        yield ("package", "name"), "contains a '+', which the name of a systemd unit cannot have"


def _watchdog_contradictions(manifest: Manifest) -> Iterable[Problem]:
    service = manifest.service
    if service and service.watchdog and service.type != "notify":
        yield ("service", "watchdog"), 'needs type = "notify"; only such a daemon sends WATCHDOG=1'


# The rules that span several keys, and the keys that each reads: a rule runs only if all of those
# are valid by themselves.
_CONTRADICTIONS: Mapping[Callable[[Manifest], Iterable[Problem]], tuple[str, ...]] = {
    _version_contradictions: ("package.version", "changelog"),
    _date_contradictions: ("changelog",),
    _license_contradictions: ("package.license", "package.license-file"),
    _name_contradictions: ("package.name", "package.version"),
    _manpage_contradictions: ("package.manpages",),
    _agent_contradictions: ("agent",),
    _daemon_contradictions: ("daemon",),
    _service_contradictions: ("service", "package.name"),
    _watchdog_contradictions: ("service",),
    _file_contradictions: ("file",),
    cluster_contradictions: ("agent", "cluster"),
}
