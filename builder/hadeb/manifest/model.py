# SPDX-License-Identifier: Apache-2.0
"""The manifest, `bundle.toml`, as a model: what a bundle may say, and what each key means.

The model is strict: an unknown key is an error. It is also the one source of the JSON schema
and of the reference in docs/, so each key's meaning stands here. Keys are written with dashes.
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
    """What the Debian package is called and what it says of itself."""

    name: PackageName
    """The package's name; its units, its directories under /usr/lib and /run carry it too."""
    version: Version
    """The package's version, with a Debian revision if it has one: `1.0` or `1.0-2`."""
    architecture: Architecture = "all"
    """`all` for scripts and data; the processor's Debian name for compiled programs."""
    section: Section = "admin"
    """The archive section."""
    priority: Literal["optional", "extra", "standard", "important", "required"] = "optional"
    """The archive priority."""
    maintainer: Maintainer | None = None
    """Who maintains the package: `Name <address>`. Without it, DEBFULLNAME and DEBEMAIL."""
    summary: Line
    """One line that says what the package is, without its name and without a full stop."""
    description: Paragraphs = ""
    """The long description; an empty line begins a new paragraph."""
    homepage: WebAddress | None = None
    """The address of the project's page."""
    license: Line
    """The license of what the bundle ships, as an SPDX expression."""
    license_file: SourcePath | None = None
    """The license's text, where Debian has none in /usr/share/common-licenses."""
    copyright: Annotated[tuple[Copyright, ...], AtLeastOne()]
    """Who holds the copyright since when, a line each: `2026 Jane Roe`."""
    manpages: tuple[SourcePath, ...] = ()
    """Manual pages, named COMMAND.SECTION; they are compressed and put where man looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationsTable:
    """Relations to other packages, each in the syntax of a control file.

    hadeb adds what the bundle needs by itself: pacemaker or pacemaker-remote, pacemaker-cli-utils
    and resource-agents for agents, python3 for a Python daemon.
    """

    depends: tuple[Relation, ...] = ()
    """Packages without which this one does not work."""
    pre_depends: tuple[Relation, ...] = ()
    """Packages that must be configured before this one is unpacked."""
    recommends: tuple[Relation, ...] = ()
    """Packages that are there in all but unusual installations."""
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
    """Virtual packages that this one stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTable:
    """An OCF resource agent: a program that Pacemaker calls.

    At least one, unless [cluster] names resources whose agents come from elsewhere.
    """

    source: SourcePath
    """The agent's file; its name is the agent's type."""
    provider: ProviderName
    """The directory under /usr/lib/ocf/resource.d: the middle of ocf:PROVIDER:TYPE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonTable:
    """The daemon itself: a Python project, executables, or both. Leave it out for agents alone."""

    python: SourcePath | None = None
    """A directory with a pyproject.toml. Its import packages go to /usr/lib/NAME/python, and
    each of its [project.scripts] becomes a launcher in /usr/bin that ignores the user's
    environment."""
    packages: tuple[SourcePath, ...] = ()
    """The import packages to install, as paths within the project. Without it, the one that
    carries the project's name, in src/ or beside the pyproject.toml."""
    dependencies: Mapping[str, PackageName] = field(default_factory=dict)
    """Which Debian package is which of the project's dependencies: `PyYAML = "python3-yaml"`.
    Without an entry, python3-NAME is looked for in [relations] depends."""
    executables: tuple[SourcePath, ...] = ()
    """Programs to install in /usr/sbin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTable:
    """The systemd template unit NAME@.service, whose instance is the resource's name.

    Directives beyond these go into a drop-in, shipped by a [[file]] with the path
    /usr/lib/systemd/system/NAME@.service.d/50-local.conf.
    """

    exec: OneCommand
    """ExecStart: the daemon's command line; %i is the instance, %t is /run."""
    description: UnitText | None = None
    """What the unit is called in logs, %i being the instance; the package's summary without it."""
    reload: CommandLine | None = None
    """ExecReload: the command that makes the daemon take new settings."""
    type: Literal["notify", "exec", "simple", "forking"] = "notify"
    """How systemd learns that the daemon is ready. Prefer `notify`: `start` then waits for it."""
    watchdog: Annotated[int, Between(1, 3600)] | None = None
    """Seconds without a sign of life after which systemd kills a daemon of type `notify`."""
    start_timeout: Annotated[int, Between(1, 86400)] = 60
    """Seconds the daemon may take to become ready."""
    stop_timeout: Annotated[int, Between(1, 86400)] = 20
    """Seconds between TERM and KILL."""
    user: UserName | None = None
    """The user the daemon runs as, which a package in `depends` must create. Without it,
    systemd makes a user for as long as the daemon runs (DynamicUser)."""
    capabilities: tuple[Capability, ...] = ()
    """Capabilities that the daemon keeps, such as CAP_NET_BIND_SERVICE. With any, the system
    calls that need privileges are open to it too."""
    address_families: tuple[AddressFamily, ...] = ("AF_UNIX", "AF_INET", "AF_INET6")
    """The kinds of socket that the daemon may open."""
    state_directory: bool = False
    """Whether the daemon keeps data in /var/lib/NAME; purge removes it."""
    environment: Mapping[EnvironmentName, Line] = field(default_factory=dict)
    """Variables in the daemon's environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """A file, or all files below a directory, copied into the package."""

    source: SourcePath
    """What to copy, relative to the manifest."""
    path: AbsolutePath
    """Where it is installed; for a directory, where its content is."""
    mode: FileMode | None = None
    """The permissions in octal, as text: "0644". Without it, 0755 where the source is
    executable and 0644 elsewhere."""
    conffile: bool | None = None
    """Whether dpkg keeps the administrator's changes; true in /etc, where Debian demands it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTable:
    """A symbolic link in the package."""

    path: AbsolutePath
    """Where the link stands."""
    target: Line
    """What it points to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintianOverrideTable:
    """A finding of lintian that is wrong for this package."""

    tag: Line
    """The tag that lintian prints."""
    reason: Line
    """Why it does not apply here; it is printed above the override."""
    match: Line = "*"
    """What follows the tag in lintian's output, with * for any text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogTable:
    """What one version changed. The first entry is the version that is built."""

    version: Version
    """The version that these changes made."""
    date: datetime.datetime | datetime.date
    """When it was released. The first entry's date is the time of every file in the package."""
    changes: Annotated[tuple[Line, ...], AtLeastOne()]
    """What changed, a sentence each."""
    urgency: Literal["low", "medium", "high", "emergency", "critical"] = "medium"
    """How much an upgrade matters."""
    author: Maintainer | None = None
    """Who made this version; the maintainer without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A bundle: its agents, the daemon that they run, and what belongs to them.

    It may have no agent of its own, where [cluster] names resources of agents that others ship.
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
