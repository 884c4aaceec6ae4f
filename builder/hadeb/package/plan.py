# SPDX-License-Identifier: Apache-2.0
"""From a bundle to the package that it becomes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hadeb.bundle.model import Bundle, SourceFile
from hadeb.manifest.model import FileTable, LintianOverrideTable
from hadeb.manifest.reader import Problem
from hadeb.manifest.toml_lines import KeyPath
from hadeb.manifest.values import TOO_LONG, is_too_long
from hadeb.package.control import changelog, control_fields, gzipped, license_text
from hadeb.package.model import Entry, File, Link, Package, Script
from hadeb.package.render import render

_EXECUTABLE = 0o755
_PLAIN = 0o644

# What systemd reads only at a daemon-reload: units, drop-ins, generators, and scripts of System V,
# of which it makes units.
_OF_SYSTEMD = ("etc/systemd/", "usr/lib/systemd/", "lib/systemd/", "etc/init.d/")

_AGENTS = "usr/lib/ocf/resource.d".split("/")
# A name that preinst can compare; Pacemaker has no others.
_AGENT = re.compile(r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+")

# An entry, and the manifest's key that asks for it.
_Keyed = tuple[KeyPath, Entry]


def plan(bundle: Bundle) -> tuple[Package, list[Problem]]:
    """The package, and its problems: a path that two keys want, or that dpkg cannot unpack.

    With a problem the package must not be used.
    """
    keyed = sorted(_entries(bundle), key=lambda item: item[1].path)
    entries = tuple(entry for _, entry in keyed)
    conffiles = tuple(entry.path for entry in entries if _is_conffile(entry))
    package = Package(
        control=control_fields(bundle, entries),
        entries=entries,
        conffiles=conffiles,
        scripts=tuple(_scripts(bundle, entries)),
        timestamp=bundle.timestamp,
    )
    return package, [*_collisions(keyed), *_too_long(keyed)]


def _is_conffile(entry: Entry) -> bool:
    return isinstance(entry, File) and entry.path.startswith("etc/")


def _is_of_systemd(entry: Entry) -> bool:
    return entry.path.startswith(_OF_SYSTEMD)


def _collisions(keyed: list[_Keyed]) -> Iterator[Problem]:
    seen: set[str] = set()
    directories = {
        "/".join(parts[:depth])
        for parts in (entry.path.split("/") for _, entry in keyed)
        for depth in range(1, len(parts))
    }
    for key, entry in keyed:
        if entry.path in seen:
            yield key, f"/{entry.path} is in the package already; give one of the two another path"
        elif entry.path in directories:
            yield key, f"/{entry.path} is a directory in the package; give the file another path"
        seen.add(entry.path)


def _too_long(keyed: list[_Keyed]) -> Iterator[Problem]:
    for key, entry in keyed:
        if any(is_too_long(part) for part in entry.path.split("/")):
            yield key, f"/{entry.path} {TOO_LONG}"


def _entries(bundle: Bundle) -> Iterator[_Keyed]:
    manifest = bundle.manifest
    yield from _documentation(bundle)
    for index, agent in enumerate(manifest.agent):
        name = agent.source.rpartition("/")[2]
        source = bundle.sources[agent.source][0]
        path = f"usr/lib/ocf/resource.d/{agent.provider}/{name}"
        yield ("agent", index), File(path, source.content, _EXECUTABLE)
    yield from _daemon(bundle)
    yield from _service(bundle)
    yield from _of_user(bundle)


def _of_user(bundle: Bundle) -> Iterator[_Keyed]:
    """The files and links that the manifest adds."""
    for index, table in enumerate(bundle.manifest.file):
        for copied in bundle.sources[table.source]:
            yield ("file", index, "path"), _copied(table, copied)
    for index, link in enumerate(bundle.manifest.link):
        yield ("link", index, "path"), Link(link.path[1:], link.target)


def _copied(table: FileTable, source: SourceFile) -> File:
    path = f"{table.path}/{source.path}" if source.path else table.path
    mode = int(table.mode, 8) if table.mode else _EXECUTABLE if source.executable else _PLAIN
    return File(path[1:], source.content, mode)


def _daemon(bundle: Bundle) -> Iterator[_Keyed]:
    daemon, name = bundle.manifest.daemon, bundle.manifest.package.name
    for index, program in enumerate(daemon.executables if daemon else ()):
        source = bundle.sources[program][0]
        path = f"usr/sbin/{program.rpartition('/')[2]}"
        yield ("daemon", "executables", index), File(path, source.content, _EXECUTABLE)
    if not bundle.project:
        return
    for file in bundle.project.modules:
        yield ("daemon", "python"), File(f"usr/lib/{name}/python/{file.path}", file.content)
    for command, target in bundle.project.scripts.items():
        module, _, function = target.partition(":")
        launcher = render("usr/bin/COMMAND", name=name, module=module, function=function)
        yield ("daemon", "python"), File(f"usr/bin/{command}", launcher.encode(), _EXECUTABLE)
    hook = "usr/share/python3/runtime.d/NAME.rtupdate"
    text = render(hook, name=name)
    yield ("daemon", "python"), File(hook.replace("NAME", name), text.encode(), _EXECUTABLE)


def _service(bundle: Bundle) -> Iterator[_Keyed]:
    if not bundle.manifest.service:
        return
    values = _values(bundle)
    name = bundle.manifest.package.name
    for template, mode in (
        ("usr/lib/systemd/system/NAME@.service", _PLAIN),
        ("usr/lib/systemd/system/NAME-lost@.service", _PLAIN),
        ("usr/lib/NAME/report-lost", _EXECUTABLE),
        ("etc/needrestart/conf.d/NAME.conf", _PLAIN),
    ):
        text = render(template, **values)
        yield ("service",), File(template.replace("NAME", name), text.encode(), mode)


def _documentation(bundle: Bundle) -> Iterator[_Keyed]:
    manifest, package = bundle.manifest, bundle.manifest.package
    directory = f"usr/share/doc/{package.name}"
    own = bundle.sources[package.license_file][0] if package.license_file else None
    text = license_text(package.license, own.content.decode("utf-8", "replace") if own else None)
    rendered = render("usr/share/doc/NAME/copyright", **_values(bundle), license_text=text)
    yield ("package", "copyright"), File(f"{directory}/copyright", rendered.encode())
    changes = changelog(package.name, bundle.maintainer, manifest.changelog)
    log = "changelog.Debian.gz" if "-" in package.version else "changelog.gz"
    yield ("changelog",), File(f"{directory}/{log}", gzipped(changes.encode()))
    overrides = (*_standing_overrides(bundle), *manifest.lintian_override)
    if overrides:
        text = render("usr/share/lintian/overrides/NAME", name=package.name, overrides=overrides)
        path = f"usr/share/lintian/overrides/{package.name}"
        yield ("lintian-override",), File(path, text.encode())
    for index, page in enumerate(package.manpages):
        title = page.rpartition("/")[2]
        path = f"usr/share/man/man{title.rpartition('.')[2][0]}/{title}.gz"
        content = bundle.sources[page][0].content
        yield ("package", "manpages", index), File(path, gzipped(content))


def _standing_overrides(bundle: Bundle) -> Iterable[LintianOverrideTable]:
    """The lintian tags that every package for a cluster gets, and why they do not apply."""
    files = (entry for _, entry in _of_user(bundle))
    if bundle.manifest.service or any(map(_is_of_systemd, files)):
        yield LintianOverrideTable(
            tag="maintainer-script-calls-systemctl",
            reason="deb-systemd-invoke would restart a service that Pacemaker owns; "
            "only daemon-reload, reset-failed and list-units are called here.",
        )


def _scripts(bundle: Bundle, entries: Sequence[Entry]) -> Iterator[Script]:
    units = [entry for entry in entries if _is_of_systemd(entry)]
    left_by_removal = [unit for unit in units if _is_conffile(unit)]
    values = {
        **_values(bundle),
        "units": bool(units),
        "unit_conffiles": bool(left_by_removal),
    }
    name = bundle.manifest.package.name
    yield Script("preinst", render("DEBIAN/preinst", name=name, agents=_agents_in(entries)))
    yield Script("postinst", render("DEBIAN/postinst", **values))
    yield Script("prerm", render("DEBIAN/prerm", **values))
    if units:
        yield Script("postrm", render("DEBIAN/postrm", **values))


def _agents_in(entries: Iterable[Entry]) -> list[str]:
    """Everything in the directories of agents, links and other files included: PROVIDER:TYPE."""
    paths = [entry.path.split("/") for entry in entries]
    there = {f"{path[4]}:{path[5]}" for path in paths if path[:4] == _AGENTS and len(path) > 5}
    return sorted(agent for agent in there if _AGENT.fullmatch(agent))


def _values(bundle: Bundle) -> dict[str, object]:
    """The variables of the templates."""
    manifest, package, service = bundle.manifest, bundle.manifest.package, bundle.manifest.service
    # Unlike a description written for the unit, a summary has no specifiers.
    summary = package.summary.replace("%", "%%").rstrip(" \\")
    types = [(agent.provider, agent.source.rpartition("/")[2]) for agent in manifest.agent]
    return {
        "name": package.name,
        "package": package,
        "service": service and replace(service, description=service.description or summary),
        "environment": [
            _quoted(f"{key}={value}")
            for key, value in (service.environment if service else {}).items()
        ],
        "python": bundle.project is not None,
        "documentation": [*_manual_pages(bundle), *filter(None, [package.homepage])],
        "agents": [f"{provider}:{name}" for provider, name in types],
    }


def _manual_pages(bundle: Bundle) -> Iterator[str]:
    """The manual pages as Documentation= names them."""
    for page in bundle.manifest.package.manpages:
        name, _, section = page.rpartition("/")[2].rpartition(".")
        yield f"man:{name}({section})"


def _quoted(assignment: str) -> str:
    """An assignment for Environment= (systemd.syntax(7), systemd.unit(5) on specifiers)."""
    escaped = assignment.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
