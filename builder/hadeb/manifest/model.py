# SPDX-License-Identifier: Apache-2.0
"""The manifest, `bundle.toml`, as a model: its tables, its keys and what they mean. Pure.

An unknown key is an error. The JSON schema and the reference in docs/ are made from this module,
so the docstring below a field is the documentation of its key. Keys are written with dashes.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from hadeb.manifest.cluster import ClusterTable
from hadeb.manifest.constraints import AtLeastOne, Between
from hadeb.manifest.values import (
    AbsolutePath,
    AddressFamily,
    Architecture,
    Capability,
    CommandLine,
    Copyright,
    EnvironmentName,
    FileMode,
    Line,
    Maintainer,
    OneCommand,
    PackageName,
    Paragraphs,
    ProviderName,
    Provision,
    Relation,
    Section,
    SingleRelation,
    SourcePath,
    UnitText,
    UserName,
    Version,
    WebAddress,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTable:
    """The Debian package: its name, its version and how it describes itself."""

    name: PackageName
    """The package's name, also of its unit and of its directories below /usr/lib and /run."""
    version: Version
    """The version, with a Debian revision if it has one: `1.0` or `1.0-2`."""
    architecture: Architecture = "all"
    """`all` for scripts and data; for compiled programs, Debian's name of the processor."""
    section: Section = "admin"
    """The archive section."""
    priority: Literal["optional", "extra", "standard", "important", "required"] = "optional"
    """The archive priority."""
    maintainer: Maintainer | None = None
    """The maintainer, as `Name <address>`. Taken from DEBFULLNAME and DEBEMAIL if not set."""
    summary: Line
    """One line that says what the package is, without its name and without a period."""
    description: Paragraphs = ""
    """The long description; an empty line begins a new paragraph."""
    homepage: WebAddress | None = None
    """The address of the project's page."""
    license: Line
    """The license of what the bundle ships, as an SPDX identifier."""
    license_file: SourcePath | None = None
    """The text of the license, if Debian has none in /usr/share/common-licenses."""
    copyright: Annotated[tuple[Copyright, ...], AtLeastOne()]
    """The holders of the copyright, each with the year or years: `2026 Jane Roe`."""
    manpages: tuple[SourcePath, ...] = ()
    """Manual pages, named COMMAND.SECTION. hadeb compresses them and installs them for man."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationsTable:
    """Relations to other packages, each in the syntax of a control file.

    hadeb adds what every bundle needs: pacemaker or pacemaker-remote, pacemaker-cli-utils and
    resource-agents, and python3 for a Python daemon.
    """

    depends: tuple[Relation, ...] = ()
    """Packages that this one needs to work."""
    pre_depends: tuple[Relation, ...] = ()
    """Packages that must be configured before this one is unpacked."""
    recommends: tuple[Relation, ...] = ()
    """Packages that all but unusual installations have."""
    suggests: tuple[Relation, ...] = ()
    """Packages that make this one more useful."""
    enhances: tuple[Relation, ...] = ()
    """Packages that this one makes more useful."""
    conflicts: tuple[SingleRelation, ...] = ()
    """Packages that cannot be installed together with this one."""
    breaks: tuple[SingleRelation, ...] = ()
    """Packages that stop working when this one is unpacked."""
    replaces: tuple[SingleRelation, ...] = ()
    """Packages whose files this one may overwrite."""
    provides: tuple[Provision, ...] = ()
    """Virtual packages that this one provides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTable:
    """An OCF resource agent: a program that Pacemaker calls.

    A bundle has at least one, unless the resources in [cluster] use agents of other packages.
    """

    source: SourcePath
    """The agent's file. Its name is the type in ocf:PROVIDER:TYPE."""
    provider: ProviderName
    """The provider in ocf:PROVIDER:TYPE: a directory below /usr/lib/ocf/resource.d."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonTable:
    """The daemon itself: a Python project, executables, or both. Leave it out if there is none."""

    python: SourcePath | None = None
    """A directory with a pyproject.toml. Its import packages go to /usr/lib/NAME/python. Each of
    its [project.scripts] becomes a launcher in /usr/bin that ignores the user's environment."""
    packages: tuple[SourcePath, ...] = ()
    """The import packages to install, as paths within the project. If not set, the one with the
    project's name, in src/ or beside pyproject.toml."""
    dependencies: Mapping[str, PackageName] = field(default_factory=dict)
    """The Debian package of a project's dependency: `PyYAML = "python3-yaml"`. Without an entry,
    it is python3-NAME. Either way, [relations] has to name it in depends."""
    executables: tuple[SourcePath, ...] = ()
    """Programs to install in /usr/sbin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTable:
    """The systemd template unit NAME@.service. Its instance is the name of the resource.

    For any other directive, ship a drop-in with a [[file]], with the path
    /usr/lib/systemd/system/NAME@.service.d/50-local.conf.
    """

    exec: OneCommand
    """ExecStart: the daemon's command line. %i is the instance, %t is /run."""
    description: UnitText | None = None
    """The unit's name in logs; %i is the instance. If not set, the package's summary."""
    reload: CommandLine | None = None
    """ExecReload: the command that makes the daemon reload its settings."""
    type: Literal["notify", "exec", "simple", "forking"] = "notify"
    """How systemd learns that the daemon is ready. With `notify`, `start` waits until it is."""
    watchdog: Annotated[int, Between(1, 3600)] | None = None
    """Seconds after which systemd kills a daemon of type `notify` that sends no WATCHDOG=1."""
    start_timeout: Annotated[int, Between(1, 86400)] = 60
    """Seconds that the daemon may take to become ready."""
    stop_timeout: Annotated[int, Between(1, 86400)] = 20
    """Seconds that the daemon may take to end after SIGTERM, before SIGKILL."""
    user: UserName | None = None
    """The user that the daemon runs as; a package in `depends` has to create it. If not set,
    systemd makes a user while the daemon runs (DynamicUser)."""
    capabilities: tuple[Capability, ...] = ()
    """Capabilities that the daemon keeps, such as CAP_NET_BIND_SERVICE. With any of them, it may
    also make privileged system calls."""
    address_families: tuple[AddressFamily, ...] = ("AF_UNIX", "AF_INET", "AF_INET6")
    """The kinds of sockets that the daemon may open."""
    state_directory: bool = False
    """Whether the daemon keeps data in /var/lib/NAME. A purge removes it."""
    environment: Mapping[EnvironmentName, Line] = field(default_factory=dict)
    """Environment variables of the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """A file, or all files below a directory, to copy into the package."""

    source: SourcePath
    """The file or directory to copy, relative to the manifest."""
    path: AbsolutePath
    """Where to install it; for a directory, where to install its content."""
    mode: FileMode | None = None
    """The permissions in octal, as text: "0644". If not set, 0755 for an executable source and
    0644 for any other."""
    conffile: bool | None = None
    """Whether dpkg keeps the administrator's changes. Always true in /etc, and only there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTable:
    """A symbolic link in the package."""

    path: AbsolutePath
    """The path of the link."""
    target: Line
    """The target of the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintianOverrideTable:
    """A lintian tag that does not apply to this package."""

    tag: Line
    """The tag, as lintian prints it."""
    reason: Line
    """Why it does not apply. It becomes a comment above the override."""
    match: Line = "*"
    """What follows the tag in lintian's output; `*` matches any text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogTable:
    """The changes of one version. The first entry is the version that hadeb builds."""

    version: Version
    """The version."""
    date: datetime.datetime | datetime.date
    """The date of its release. Every file in the package gets the date of the first entry."""
    changes: Annotated[tuple[Line, ...], AtLeastOne()]
    """The changes, a sentence each."""
    urgency: Literal["low", "medium", "high", "emergency", "critical"] = "medium"
    """How urgent an upgrade is."""
    author: Maintainer | None = None
    """The author of this version. If not set, the maintainer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A bundle: its agents, the daemon that they run, and everything that belongs to them.

    It needs no agent of its own if the resources in [cluster] use agents of other packages.
    """

    package: PackageTable
    relations: RelationsTable = field(default_factory=RelationsTable)
    agent: tuple[AgentTable, ...] = ()
    daemon: DaemonTable | None = None
    service: ServiceTable | None = None
    cluster: ClusterTable | None = None
    file: tuple[FileTable, ...] = ()
    link: tuple[LinkTable, ...] = ()
    lintian_override: tuple[LintianOverrideTable, ...] = ()
    changelog: Annotated[tuple[ChangelogTable, ...], AtLeastOne()]
