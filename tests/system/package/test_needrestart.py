# SPDX-License-Identifier: Apache-2.0
"""needrestart restarts outdated services, but leaves the sample's to Pacemaker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.machine import machine as lab_machine
from hadeb.lab.node.node import Node
from support.needrestart import packages
from support.resource import SUCCESS, Resource, eventually
from support.sample_package import NAME, install, service
from system.package.conftest import say

CONFIGURATION = f"/etc/needrestart/conf.d/{NAME}.conf"
RESTART = f"systemctl restart {NAME}@R.service"


@pytest.fixture(scope="module")
def outdated(as_root: None, suite: Suite, debs: dict[str, Path]) -> Iterator[Resource]:
    """A resource that runs since before an upgrade, on a node with needrestart."""
    with lab_machine(suite, info=say) as node:
        for deb in packages(suite):
            node.push(deb, f"/root/needrestart/{deb.name}")
        node.sh("dpkg --install /root/needrestart/*.deb")
        for version, deb in debs.items():
            node.push(deb, f"/root/{version}.deb")
        install(node, "0.9")
        resource = Resource(node)
        started = resource("start")
        assert started.returncode == SUCCESS, started.stderr
        # needrestart knows the start of a process to some seconds only.
        eventually(lambda: install(node, "1.0").returncode == 0 and is_outdated(resource))
        yield resource


def is_outdated(resource: Resource) -> bool:
    return f"NEEDRESTART-SVC: {resource.unit}" in resource.node.exec("needrestart", "-b").stdout


def listed(node: Node) -> list[str]:
    """The commands that needrestart would give."""
    output = node.exec("needrestart", "-r", "l").stdout
    restarts, _, _ = output.partition("Service restarts being deferred:")
    return [line.strip() for line in restarts.splitlines() if line.startswith(" ")]


def test_it_finds_the_service_outdated_but_does_not_restart_it(outdated: Resource) -> None:
    assert is_outdated(outdated)
    untouched = service(outdated)
    output = outdated.node.exec("needrestart", "-r", "a").stdout
    assert "deferred" in output
    assert RESTART in output.partition("deferred")[2]
    assert service(outdated) == untouched
    assert listed(outdated.node) == []


def test_without_the_configuration_needrestart_restarts_the_service(outdated: Resource) -> None:
    outdated.node.exec("mv", CONFIGURATION, "/root")
    try:
        assert listed(outdated.node) == [RESTART]
    finally:
        outdated.node.exec("mv", f"/root/{NAME}.conf", CONFIGURATION)


def test_the_configuration_keeps_needrestarts_own_settings(outdated: Resource) -> None:
    # The keys of the hash as needrestart reads them, with our file and without.
    read = "our %nrconf; do $ARGV[0]; die $@ if $@;"
    program = f"{read} print join qq(\\n), keys %{{$nrconf{{override_rc}}}}"
    argv = ("perl", "-e", program, "/etc/needrestart/needrestart.conf")
    ours = set(outdated.node.exec(*argv).stdout.splitlines())
    outdated.node.exec("mv", CONFIGURATION, "/root")
    try:
        theirs = set(outdated.node.exec(*argv).stdout.splitlines())
    finally:
        outdated.node.exec("mv", f"/root/{NAME}.conf", CONFIGURATION)
    assert len(theirs) > 10
    assert ours > theirs
    assert len(ours - theirs) == 1
