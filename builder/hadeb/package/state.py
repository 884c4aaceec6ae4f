# SPDX-License-Identifier: Apache-2.0
"""Where a bundle keeps data on a node, and whether the data moves with the service. Pure.

Units say it themselves. For daemons of Debian there is a list of the directories that their
packages make. No list is complete: what this finds is a warning, and finding nothing is no proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.debian.relations import parse_field
from hadeb.manifest.cluster import ResourceTable
from hadeb.manifest.model import Manifest
from hadeb.package.model import File, Package

# Data directories of Debian's packages, by the words that name the daemon: as a package, as a unit
# or as the type of an OCF agent, each without version and instance.
_DIRECTORIES = {
    "/var/lib/mysql": "mysql mysqld mysql-server mariadb mariadb-server galera "
    "default-mysql-server percona-server-server",
    "/var/lib/postgresql": "postgresql pgsql pgsqlms postgres",
    "/var/lib/redis": "redis redis-server",
    "/var/lib/valkey": "valkey valkey-server",
    "/var/lib/mongodb": "mongodb mongod mongodb-server",
    "/var/lib/rabbitmq": "rabbitmq-server rabbitmq-cluster rabbitmq-server-ha",
    "/var/lib/ldap": "slapd",
    "/var/lib/bind": "bind9 named",
    "/var/lib/nfs": "nfsserver nfs-server nfs-kernel-server",
    "/var/lib/samba": "samba smbd smb",
    "/var/lib/dhcp": "dhcpd isc-dhcp-server",
    "/var/lib/kea": "kea-dhcp4-server kea-dhcp6-server kea",
    "/var/spool/postfix": "postfix",
    "/var/spool/exim4": "exim4 exim4-daemon-light exim4-daemon-heavy",
    "/var/mail": "dovecot dovecot-imapd dovecot-core",
    "/var/lib/cyrus": "cyrus-imapd cyrus",
    "/var/lib/etcd": "etcd etcd-server",
    "/var/lib/consul": "consul",
    "/var/lib/zookeeper": "zookeeper zookeeperd",
    "/var/lib/influxdb": "influxdb",
    "/var/lib/prometheus": "prometheus",
    "/var/lib/grafana": "grafana grafana-server",
    "/var/lib/mosquitto": "mosquitto",
    "/var/lib/couchdb": "couchdb",
    "/var/lib/powerdns": "pdns pdns-server pdns-backend-sqlite3",
    "/var/lib/asterisk": "asterisk",
    "/var/lib/jenkins": "jenkins",
    "/var/lib/gitea": "gitea",
    "/var/lib/beanstalkd": "beanstalkd",
    "/var/spool/squid": "squid",
    "/var/lib/icinga2": "icinga2",
}
_BY_NAME = {name: path for path, names in _DIRECTORIES.items() for name in names.split()}
# What resources call their data directory.
_DATA_PARAMETERS = ("datadir", "data_dir", "pgdata", "dbpath", "data_directory")
# Directives of systemd.exec(5), and what their relative paths are below.
_DIRECTIVE = re.compile(r"^(StateDirectory|ReadWritePaths|WorkingDirectory)=(.*)$", re.MULTILINE)
# Where data that must last is, and what below it is not.
_LASTING = ("/var/lib/", "/srv/", "/var/spool/", "/var/mail/", "/opt/")


@dataclass(frozen=True, slots=True)
class State:
    """A directory with data: `moves` with the service, or `copies` in which every node has its own.

    `resource` keeps it, empty if it is not known which one does.
    """

    path: str
    resource: str
    moves: bool = False
    copies: bool = False

    @property
    def sentence(self) -> str:
        """What an operator must know about it."""
        of = f" of {self.resource}" if self.resource else ""
        if self.moves:
            return f"{self.path}{of} moves with the service, on storage that nodes share"
        if self.copies:
            return f"{self.path}{of} is another one on each node: only the daemon can replicate it"
        return f"{self.path}{of} stays on its node: it does not move with the service"


def state_of(manifest: Manifest, package: Package) -> tuple[State, ...]:
    """The directories with data, each once, in order of their paths."""
    resources = manifest.cluster.resource if manifest.cluster else ()
    shared = [path for resource in resources if (path := shared_directory(resource))]
    own = {f"ocf:{each.provider}:{each.source.rpartition('/')[2]}" for each in manifest.agent}
    service = next((each for each in resources if each.agent in own), None)
    places: dict[str, ResourceTable | None] = {}
    for resource in resources:
        for path in _of_resource(resource):
            places.setdefault(path, resource)
    for path in (*_of_units(package), *_of_packages(package)):
        places.setdefault(path, service)
    return tuple(
        State(
            path=path,
            resource=keeper.name if keeper else "",
            moves=any(f"{path}/".startswith(f"{_public(directory)}/") for directory in shared),
            copies=bool(keeper and keeper.copies != "one"),
        )
        for path, keeper in sorted(places.items())
    )


def _public(directory: str) -> str:
    """The path by which a daemon with DynamicUser= knows its directory (systemd.exec(5))."""
    return re.sub(r"^/var/lib/private/", "/var/lib/", directory)


def shared_directory(resource: ResourceTable) -> str:
    """Where a resource mounts storage that other nodes can mount too, empty if it does not."""
    parameters = resource.parameters
    if resource.agent != "ocf:heartbeat:Filesystem" or is_local(resource):
        return ""
    return parameters.get("directory", "").rstrip("/")


def is_local(resource: ResourceTable) -> bool:
    """Whether a Filesystem resource mounts what every node has for itself."""
    parameters = resource.parameters
    options = re.split(r"[\s,]+", parameters.get("options", ""))
    return parameters.get("fstype", "") in {"tmpfs", "ramfs", "overlay", "none"} or bool(
        {"bind", "rbind"} & set(options)
    )


def _of_resource(resource: ResourceTable) -> Iterator[str]:
    given = [
        value.rstrip("/")
        for name, value in resource.parameters.items()
        if name.lower() in _DATA_PARAMETERS and value.startswith("/")
    ]
    provider, _, kind = resource.agent.rpartition(":")
    usual = _BY_NAME.get(_plain(kind)) if not provider.startswith("stonith") else None
    if given or usual:
        yield from given or [usual or ""]


def _plain(name: str) -> str:
    """A name of a unit, a package or an agent without its version and its instance."""
    name = name.lower().removesuffix(".service").partition("@")[0]
    return re.sub(r"-?\d+(\.\d+)*$", "", name) if name not in _BY_NAME else name


def _of_packages(package: Package) -> Iterator[str]:
    control = dict(package.control)
    for key in ("Pre-Depends", "Depends"):
        for alternatives in parse_field(control.get(key, "")):
            if path := _BY_NAME.get(_plain(alternatives[0].name)):
                yield path


def _of_units(package: Package) -> Iterator[str]:
    for entry in package.entries:
        if not isinstance(entry, File) or "/systemd/system/" not in f"/{entry.path}":
            continue
        for directive, value in _DIRECTIVE.findall(entry.content.decode("utf-8", "replace")):
            for word in value.split():
                path = word.lstrip("-+!").partition(":")[0].strip('"').rstrip("/")
                if directive == "StateDirectory":
                    path = f"/var/lib/{path}"
                if path.startswith(_LASTING):
                    yield path
