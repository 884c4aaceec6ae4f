# SPDX-License-Identifier: Apache-2.0
"""Data that stays on a node is found, wherever the bundle says so."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from hadeb.manifest.cluster import ClusterTable, ResourceTable
from hadeb.manifest.model import AgentTable, ChangelogTable, Manifest, PackageTable
from hadeb.package.model import File, Package
from hadeb.package.state import state_of

DRBD = {"device": "/dev/drbd0", "directory": "/var/lib/mysql", "fstype": "ext4"}


def resource(agent: str, parameters: Mapping[str, str] = {}, **more: Any) -> ResourceTable:
    name = agent.rpartition(":")[2].upper().partition("@")[0]
    return ResourceTable(name=name, agent=agent, parameters=parameters, **more)


def sentences(*resources: ResourceTable, depends: str = "", units: str = "") -> list[str]:
    manifest = Manifest(
        package=PackageTable(
            name="site", version="1.0", summary="site", license="MIT", copyright=("2026 Jane Roe",)
        ),
        agent=(AgentTable(source="agents/keeper", provider="example"),),
        cluster=ClusterTable(resource=resources) if resources else None,
        changelog=(
            ChangelogTable(version="1.0", date=datetime.date(2026, 1, 1), changes=("First.",)),
        ),
    )
    unit = File("usr/lib/systemd/system/keeper@.service.d/50-data.conf", units.encode())
    package = Package(
        control=(("Package", "site"), ("Version", "1.0"), ("Depends", depends)),
        entries=(unit,),
        conffiles=(),
        scripts=(),
        timestamp=0,
    )
    return [each.sentence for each in state_of(manifest, package)]


STAYS = "stays on its node: it does not move with the service"


@pytest.mark.parametrize(
    ("resources", "more", "expected"),
    [
        ([], {"units": "[Service]\nStateDirectory=keeper\n"}, [f"/var/lib/keeper {STAYS}"]),
        (
            [resource("ocf:example:keeper")],
            {"units": "StateDirectory=keeper/%i:other\nReadWritePaths=-/srv/a /run/b\n"},
            [f"/srv/a of KEEPER {STAYS}", f"/var/lib/keeper/%i of KEEPER {STAYS}"],
        ),
        ([resource("systemd:redis-server")], {}, [f"/var/lib/redis of REDIS-SERVER {STAYS}"]),
        (
            [resource("systemd:postgresql@15-main")],
            {},
            [f"/var/lib/postgresql of POSTGRESQL {STAYS}"],
        ),
        (
            [resource("ocf:heartbeat:mysql", {"datadir": "/srv/db/"})],
            {},
            [f"/srv/db of MYSQL {STAYS}"],
        ),
        (
            [resource("ocf:heartbeat:redis", copies="promotable")],
            {"depends": "redis-server, redis-tools"},
            [
                "/var/lib/redis of REDIS is another one on each node: "
                "only the daemon can replicate it"
            ],
        ),
        ([], {"depends": "mariadb-server (>= 1:10.6) | mysql-server"}, [f"/var/lib/mysql {STAYS}"]),
        ([], {"depends": "postgresql-15"}, [f"/var/lib/postgresql {STAYS}"]),
        (
            [resource("ocf:heartbeat:Filesystem", DRBD), resource("systemd:mariadb")],
            {},
            ["/var/lib/mysql of MARIADB moves with the service, on storage that nodes share"],
        ),
        (
            [
                resource("ocf:heartbeat:Filesystem", {**DRBD, "options": "rw,bind"}),
                resource("systemd:mariadb"),
            ],
            {},
            [f"/var/lib/mysql of MARIADB {STAYS}"],
        ),
        (
            [
                resource("ocf:heartbeat:Filesystem", {**DRBD, "directory": "/var/lib/my"}),
                resource("systemd:mariadb"),
            ],
            {},
            [f"/var/lib/mysql of MARIADB {STAYS}"],
        ),
        (
            [resource("ocf:heartbeat:nginx")],
            {"depends": "nginx, redis-tools, postgresql-client"},
            [],
        ),
        ([], {"units": "StateDirectory=\nReadWritePaths=/var/log/x /run/y\n"}, []),
    ],
)
def test_where_data_is(
    resources: list[ResourceTable], more: Mapping[str, str], expected: list[str]
) -> None:
    assert sentences(*resources, **more) == expected
