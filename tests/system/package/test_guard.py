# SPDX-License-Identifier: Apache-2.0
"""The package cannot be removed from a node on which a real cluster runs its resource."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.node.node import Node
from hadeb.run import Completed
from support.resource import Resource, eventually
from support.sample_package import (
    EMERGENCY,
    NAME,
    all_said,
    assert_whole,
    build,
    install,
    loaded,
    service,
    state,
)
from system.package.conftest import say

PROVIDER = 'class="ocf" provider="kamaboko"'
SERVER = f'<primitive id="SERVER" {PROVIDER} type="sample-tcp-server"/>'
STATE_FILE = "/run/resource-agents/sample-resource-STUCK.state"
REMOVALS = (f"dpkg --remove {NAME}", f"apt-get --yes remove {NAME}")


def simple(name: str, meta: str = "") -> str:
    """A resource of the agent that needs no daemon; `meta` is one attribute of it."""
    pair = f'<nvpair id="{name}-x" {meta}/>' if meta else ""
    inside = f'<meta_attributes id="{name}-m">{pair}</meta_attributes>' if meta else ""
    return f'<primitive id="{name}" {PROVIDER} type="sample-resource">{inside}</primitive>'


def clone(name: str, meta: str) -> str:
    return (
        f'<clone id="{name}-clone"><meta_attributes id="{name}-clone-m">'
        f'<nvpair id="{name}-clone-x" {meta}/></meta_attributes>{simple(name)}</clone>'
    )


ASLEEP = simple("ASLEEP", 'name="target-role" value="Stopped"')
FOREIGN = '<primitive id="FOREIGN" class="ocf" provider="heartbeat" type="Dummy"/>'


@pytest.fixture(scope="module")
def whole_cluster(as_root: None, suite: Suite, debs: dict[str, Path]) -> Iterator[Cluster]:
    """Two nodes with the package installed."""
    with Cluster(suite, size=2, info=say) as made:
        for node in made.nodes:
            node.push(debs["1.0"], "/root/1.0.deb")
            install(node, "1.0")
        yield made


@pytest.fixture(scope="module")
def poorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later version, without one of the two agents."""
    agent = '[[agent]]\nprovider = "kamaboko"\nsource = "agents/sample-resource"\n'
    resource = '[[cluster.resource]]\nname = "SAMPLE"\nagent = "ocf:kamaboko:sample-resource"\n'
    return build("2.0", tmp_path_factory.mktemp("poorer"), without=(agent, resource))


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster without a resource; the package is on both nodes when the test ends."""
    yield whole_cluster
    for node in whole_cluster.nodes:
        node.sh(f"! mountpoint -q {STATE_FILE} || umount {STATE_FILE}")
        if state(node) != "installed":
            install(node, "1.0")
    for name in ("maintenance-mode", "stop-orphan-resources"):
        whole_cluster.any.exec("crm_attribute", "--name", name, "--delete")
    whole_cluster.any.exec("crm_resource", "--cleanup")
    has(whole_cluster)


def has(cluster: Cluster, *resources: str) -> None:
    """Give the cluster these resources and no others."""
    xml = f"<resources>{''.join(resources)}</resources>"
    cluster.any.exec("cibadmin", "--replace", "--scope=resources", "--xml-text", xml)
    cluster.settle()


def running(cluster: Cluster) -> dict[str, set[str]]:
    """What each node runs, according to the cluster."""
    instances = cluster.status().instances
    return {
        node.name: {instance.resource for instance in instances if node.name in instance.nodes}
        for node in cluster.nodes
    }


def runs_on(cluster: Cluster, resource: str) -> Node:
    name = cluster.where(resource)
    assert name is not None
    return cluster[name]


def other(cluster: Cluster, node: Node) -> Node:
    (remaining,) = (other for other in cluster.nodes if other is not node)
    return remaining


def refusal(done: Completed, node: Node) -> tuple[set[str], str]:
    """The resources that the refusal names, and the whole output."""
    assert done.returncode != 0
    output = all_said(done)
    begin, end = f"{NAME}: not removed: the cluster runs ", f" on this node, {node.name}.\n"
    assert begin in output
    assert end in output
    named = output.split(begin)[1].split(end)[0]
    assert f"pcs node standby {node.name}\n" in output
    assert f"pcs resource disable {named}\n" in output
    assert f"{EMERGENCY} dpkg --remove {NAME}\n" in output
    assert state(node) == "installed"
    assert node.exec("dpkg", "--verify", NAME).stdout == ""
    return set(named.split()), output


def test_a_running_resource_holds_the_package_on_its_node_alone(cluster: Cluster) -> None:
    # Stopped ones come last in crm_mon's output, where a node's name follows them.
    has(cluster, SERVER, ASLEEP)
    node = runs_on(cluster, "SERVER")
    rest = other(cluster, node)
    resource = Resource(node, name="SERVER")
    untouched = service(resource)
    assert untouched.pid > 0
    for removal in REMOVALS:
        named, output = refusal(node.sh(removal, check=False), node)
        assert named == {"SERVER"}
        assert "does not manage" not in output
        assert rest.sh(removal).stderr == ""
        assert state(rest) == "config-files"
        install(rest, "1.0")
    assert service(resource) == untouched
    assert cluster.status().fail_count("SERVER") == 0
    # It does as the sentence says.
    node.exec("pcs", "node", "standby", node.name)
    cluster.settle()
    assert node.sh(REMOVALS[0]).stderr == ""
    assert cluster.where("SERVER") == rest.name
    install(node, "1.0")
    node.exec("pcs", "node", "unstandby", node.name)


def test_resources_of_every_kind_hold_the_package(cluster: Cluster) -> None:
    has(
        cluster,
        f'<group id="GROUP">{simple("MEMBER")}</group>',
        clone("CLONE", 'name="interleave" value="true"'),
        clone("UNIQUE", 'name="globally-unique" value="true"'),
        clone("PROMOTABLE", 'name="promotable" value="true"'),
        *(simple(name) for name in ("ORPHAN", "UNMANAGED", "STUCK")),
        *(FOREIGN, ASLEEP),
    )
    admin = cluster.any
    admin.sh("crm_attribute --name stop-orphan-resources --update false")
    meta = "crm_resource --meta --resource"
    admin.sh(f"{meta} UNMANAGED --set-parameter is-managed --parameter-value false")
    # With one resource fewer the cluster may balance the rest again: none may be on its way to
    # another node when it is let go of.
    admin.exec("cibadmin", "--delete", "--xml-text", '<primitive id="ORPHAN"/>')
    cluster.settle()
    # What is mounted cannot be removed.
    runs_on(cluster, "STUCK").exec("mount", "--bind", STATE_FILE, STATE_FILE)
    admin.sh(f"{meta} STUCK --set-parameter target-role --parameter-value Stopped")
    cluster.settle()
    expected = running(cluster)
    everything = {name.partition(":")[0] for node in cluster.nodes for name in expected[node.name]}
    single = {"ORPHAN", "UNMANAGED", "STUCK"}
    assert everything == {"MEMBER", "CLONE", "UNIQUE", "PROMOTABLE", "FOREIGN", *single}
    for node in cluster.nodes:
        named, output = refusal(node.sh(REMOVALS[0], check=False), node)
        assert named == expected[node.name] - {"FOREIGN"}
        (unmanaged,) = [line for line in output.splitlines() if "does not manage" in line] or [
            "The cluster does not manage now"
        ]
        assert set(unmanaged.split()) & everything == expected[node.name] & single


def test_another_version_does_not_take_the_agent_of_a_running_resource(
    cluster: Cluster, poorer: Path
) -> None:
    has(cluster, SERVER, simple("R"))
    node = runs_on(cluster, "R")
    node.push(poorer, "/root/2.0.deb")
    done = node.sh("dpkg --install /root/2.0.deb", check=False)
    assert done.returncode != 0
    output = all_said(done)
    lacks = f"{NAME}: not installed: it lacks kamaboko:sample-resource, and the cluster runs"
    assert f"{lacks} R on this node, {node.name}.\n" in output
    assert f"pcs node standby {node.name}\n" in output
    assert_whole(node, "1.0")
    assert cluster.where("R") == node.name
    assert cluster.status().fail_count("R") == 0
    # It does as the sentence says, and what the version still has does not hold it.
    node.exec("pcs", "resource", "disable", "R", "--wait=20")
    assert cluster.where("SERVER") is not None
    for each in cluster.nodes:
        each.push(poorer, "/root/2.0.deb")
        assert each.sh("dpkg --install /root/2.0.deb").stderr == ""
        each.sh("dpkg --install /root/1.0.deb")
    assert cluster.status().fail_count("SERVER") == 0


def test_an_emergency_overrides_what_holds_an_agent(cluster: Cluster, poorer: Path) -> None:
    has(cluster, simple("R"))
    cluster.any.sh("crm_attribute --name maintenance-mode --update true")
    node = runs_on(cluster, "R")
    node.push(poorer, "/root/2.0.deb")
    output = all_said(node.sh(f"{EMERGENCY} dpkg --install /root/2.0.deb"))
    assert (
        f"{NAME}: {EMERGENCY}: not looking whether kamaboko:sample-resource runs here\n" in output
    )
    install(node, "1.0")


def test_maintenance_holds_the_package(cluster: Cluster) -> None:
    has(cluster, simple("R"))
    cluster.any.sh("crm_attribute --name maintenance-mode --update true")
    node = runs_on(cluster, "R")
    named, output = refusal(node.sh(REMOVALS[0], check=False), node)
    assert named == {"R"}
    assert "The cluster does not manage R now: it is in maintenance" in output
    assert other(cluster, node).sh(REMOVALS[0]).returncode == 0


def monitored(name: str, *operations: str) -> str:
    """A resource with these operations, each the attributes of a monitor."""
    inside = "".join(
        f'<op id="{name}-{number}" name="monitor" {attributes}/>'
        for number, attributes in enumerate(operations)
    )
    return simple(name).replace("></primitive>", f"><operations>{inside}</operations></primitive>")


def remove_as_advised(node: Node, named: str) -> list[str]:
    """Do what the refusal says, until the package goes; return the commands."""
    commands: list[str] = []
    for _ in range(3):
        done = node.sh(REMOVALS[0], check=False)
        if done.returncode == 0:
            break
        assert f"the cluster still monitors {named} on this node, {node.name}" in done.stderr
        advice = re.findall(r"(?m)^  .+: +((?:pcs|crm_resource) .+)$", done.stderr)
        for command in advice:
            node.sh(command)
        node.exec("crm_resource", "--wait")
        commands += advice
    assert state(node) == "config-files"
    return commands


def test_monitors_of_what_was_stopped_by_hand_hold_the_package(cluster: Cluster) -> None:
    """Without the agent they would fail, and so would the stop when it is managed again."""
    has(cluster, monitored("R", 'interval="2s"', 'interval="3s"'))
    node = runs_on(cluster, "R")
    meta = "crm_resource --meta --resource R"
    node.sh(f"{meta} --set-parameter is-managed --parameter-value false")
    node.sh("rm /run/resource-agents/sample-resource-R.state")
    eventually(lambda: "R" not in running(cluster)[node.name], 20)
    refresh = f"crm_resource --refresh --resource R --node {node.name}"
    assert remove_as_advised(node, "R") == [refresh]
    node.sh(f"{meta} --delete-parameter is-managed")
    cluster.settle()
    assert node.exec("systemctl", "is-active", "pacemaker").stdout == "active\n"


def test_monitors_of_what_is_stopped_hold_the_package(cluster: Cluster) -> None:
    has(cluster, monitored("R", 'interval="10s"', 'interval="11s" role="Stopped"'))
    node = other(cluster, runs_on(cluster, "R"))
    commands = remove_as_advised(node, "R")
    assert commands[0] == "pcs resource op delete R-1"


def test_resources_of_other_packages_do_not_hold_it(cluster: Cluster) -> None:
    has(cluster, FOREIGN)
    for node in cluster.nodes:
        assert node.sh(REMOVALS[0]).stderr == ""


def test_an_emergency_overrides_the_refusal(cluster: Cluster) -> None:
    has(cluster, SERVER)
    # The cluster looks away, so that it does not ask an agent that is gone.
    cluster.any.sh("crm_attribute --name maintenance-mode --update true")
    node = runs_on(cluster, "SERVER")
    resource = Resource(node, name="SERVER")
    untouched = service(resource)
    for removal in REMOVALS:
        output = all_said(node.sh(f"{EMERGENCY} {removal}"))
        assert f"{NAME}: {EMERGENCY}: not looking whether it runs here\n" in output
        assert state(node) == "config-files"
        assert loaded(resource)
        install(node, "1.0")
        assert service(resource) == untouched


def test_a_stopped_pacemaker_does_not_hold_the_package(cluster: Cluster) -> None:
    node = cluster.nodes[1]
    node.exec("systemctl", "stop", "pacemaker")
    try:
        assert node.sh(REMOVALS[0]).stderr == ""
    finally:
        node.exec("systemctl", "start", "pacemaker")
        cluster.wait_online()


@pytest.mark.parametrize("mute", ["pacemaker-based", "pacemaker-controld"])
def test_a_pacemaker_that_does_not_answer_holds_the_package(cluster: Cluster, mute: str) -> None:
    node = cluster.nodes[1]
    node.sh(f"kill -STOP $(pidof {mute})")
    asked = time.monotonic()
    try:
        refused = node.sh(REMOVALS[0], check=False)
        took = time.monotonic() - asked
    finally:
        node.sh(f"kill -CONT $(pidof {mute})")
        cluster.wait_online()
    assert refused.returncode == 1
    assert "Pacemaker runs on this node, but does not say what it runs." in refused.stderr
    assert took < 40
    assert state(node) == "installed"
