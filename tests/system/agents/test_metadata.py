# SPDX-License-Identifier: Apache-2.0
"""The agents' meta-data: rules 10-39."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from hadeb.lab.node.node import Node
from support.resource import DAEMON, PROVIDER, Resource

SCHEMAS = "/usr/share/resource-agents"


def meta_data(node: Node, agent: str) -> str:
    return node.exec("env", "OCF_ROOT=/usr/lib/ocf", f"{PROVIDER}/{agent}", "meta-data").stdout


@pytest.fixture
def root(node: Node, agent: str) -> ET.Element:
    return ET.fromstring(meta_data(node, agent))


def test_rule_09_10_the_meta_data_name_the_file(root: ET.Element, agent: str) -> None:
    assert root.get("name") == agent


def test_rule_11_a_user_without_rights_gets_the_meta_data(node: Node, agent: str) -> None:
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    done = node.sh(f"{nobody} {PROVIDER}/{agent} meta-data")
    assert done.stdout == meta_data(node, agent)
    assert done.stderr == ""


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "/bin"])
def test_rule_12_the_meta_data_need_no_environment(node: Node, agent: str, path: str) -> None:
    done = node.exec("env", "-i", f"PATH={path}", f"{PROVIDER}/{agent}", "meta-data")
    assert (done.stdout, done.stderr) == (meta_data(node, agent), "")


def test_rule_13_the_meta_data_need_no_daemon(node: Node, agent: str) -> None:
    hide = f"mount --bind /dev/null {DAEMON}; mount -t tmpfs tmpfs /usr/lib/systemd"
    done = node.exec("unshare", "--mount", "sh", "-c", f"{hide}; exec {PROVIDER}/{agent} meta-data")
    assert done.stdout == meta_data(node, agent)


def test_rule_14_15_the_meta_data_are_valid_by_the_dtd(node: Node, agent: str) -> None:
    text = meta_data(node, agent)
    assert '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">' in text
    node.exec("sh", "-c", f"cd {SCHEMAS} && xmllint --noout --valid -", input=text)


def test_rule_16_the_meta_data_are_valid_by_clusterlabs_schema(node: Node, agent: str) -> None:
    text = meta_data(node, agent)
    done = node.exec(
        "xmllint", "--noout", "--nonet", "--relaxng", f"{SCHEMAS}/metadata.rng", "-", input=text
    )
    assert "- validates" in done.stderr


def test_rule_18_19_20_the_versions_are_those_that_pcs_accepts(root: ET.Element) -> None:
    assert root.findtext("version") == "1.0"
    assert root.get("version") == "1.0"
    text = ET.tostring(root, encoding="unicode")
    assert not re.search(r"unique-group|reloadable|reload-agent|<select", text)


def test_rule_21_22_every_description_is_there(root: ET.Element) -> None:
    descriptions = [*root.iter("longdesc"), *root.iter("shortdesc")]
    assert all((each.text or "").strip() and each.get("lang") == "en" for each in descriptions)
    for owner in [root, *root.iter("parameter")]:
        order = [each.tag for each in owner if each.tag in ("longdesc", "shortdesc")]
        assert order == ["longdesc", "shortdesc"]


def test_rule_23_24_25_every_parameter_has_a_default_of_its_type(root: ET.Element) -> None:
    for parameter in root.iter("parameter"):
        content = parameter.find("content")
        assert content is not None
        assert parameter.get("required") == "0"
        default = content.get("default")
        assert default is not None
        kind = content.get("type")
        assert kind in ("string", "integer")
        assert kind == "string" or default.isdigit()


def test_rule_26_27_parameters_that_would_collide_are_unique(node: Node) -> None:
    parameters = ET.fromstring(meta_data(node, "sample-tcp-server")).iter("parameter")
    uniqueness = {each.get("name"): each.get("unique") for each in parameters}
    assert uniqueness == {"greet": "0", "port": "1", "bind": "0"}


def test_rule_29_reload_is_offered_only_where_all_parameters_reload(node: Node) -> None:
    def actions(agent: str) -> set[str | None]:
        return {each.get("name") for each in ET.fromstring(meta_data(node, agent)).iter("action")}

    assert "reload" in actions("sample-tcp-server")
    assert "reload" not in actions("sample-resource")


def test_rule_32_33_34_38_actions_and_their_time_limits(root: ET.Element) -> None:
    actions = list(root.iter("action"))
    names = {each.get("name") for each in actions}
    assert names >= {"start", "stop", "monitor", "meta-data", "validate-all"}
    assert "status" not in names
    for each in actions:
        limit = re.fullmatch(r"(\d+)s", each.get("timeout", ""))
        assert limit
        assert int(limit[1]) >= 10 or each.get("name") == "meta-data"
    intervals = [each.get("interval", "") for each in actions if each.get("name") == "monitor"]
    assert len(set(intervals)) == len(intervals)
    assert all(re.fullmatch(r"[1-9]\d*s", interval) for interval in intervals)


def test_the_monitors_of_the_server_have_the_two_depths(node: Node) -> None:
    actions = ET.fromstring(meta_data(node, "sample-tcp-server")).iter("action")
    monitors = {(each.get("depth"), each.get("interval")) for each in actions if each.get("depth")}
    assert monitors == {("0", "10s"), ("10", "15s")}


def test_rule_39_every_advertised_action_is_implemented(resource: Resource) -> None:
    actions = ET.fromstring(resource("meta-data").stdout).iter("action")
    for name in sorted({each.get("name", "") for each in actions}):
        assert resource(name).returncode != 3, name
