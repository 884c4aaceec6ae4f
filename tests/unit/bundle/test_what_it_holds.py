# SPDX-License-Identifier: Apache-2.0
"""`hadeb plan` finds where agents, [cluster] and units of a bundle do not fit, and only there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import ROOT, Outcome, call_hadeb

AGENT = "agents/sample-tcp-server"
RESOURCE = "ocf:kamaboko:sample-tcp-server"

Plan = Callable[..., Outcome]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Plans the sample after a change of one text in one of its files."""
    for part in ("agents", "daemon"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "bundle.toml", tmp_path)

    def planned(file: str, old: str, new: str) -> Outcome:
        text = (tmp_path / file).read_text("utf-8")
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
        return call_hadeb("plan", directory=tmp_path)

    return planned


def only(call: Outcome) -> str:
    """The one finding of a call, without its line."""
    assert (call.code, call.stdout) == (3, ""), call.stderr
    finding, total = call.stderr.splitlines()
    assert total.startswith("error: 1 finding in ")
    file, line, rest = finding.split(":", 2)
    assert int(line) > 0
    return f"{file}:{rest}"


PARAMETERS = "bundle.toml: cluster.resource[2].parameters"
INTEGER = "is not a whole number, which port of the agent is"


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ('prot = "7"', f"prot: {RESOURCE} has no such parameter (did you mean 'port'?)"),
        ('Greet = "x"', f"Greet: {RESOURCE} has no such parameter (did you mean 'greet'?)"),
        ('x = "x"', f"x: {RESOURCE} has no such parameter (known are bind, greet, port)"),
        ('port = "http"', f"port: 'http' {INTEGER}"),
        ('port = "5678/tcp"', f"port: '5678/tcp' {INTEGER}"),
        ('port = "5_678"', f"port: '5_678' {INTEGER}"),
    ],
)
def test_a_parameter_is_one_of_the_agents(plan: Plan, written: str, finding: str) -> None:
    call = plan("bundle.toml", '{ greet = "Hi!" }', f"{{ {written} }}")
    assert only(call) == f"{PARAMETERS}.{finding}"


def test_what_the_agent_requires_is_there(plan: Plan) -> None:
    call = plan(AGENT, '"greet" unique="0" required="0"', '"bind" unique="0" required="1"')
    known = "(known are bind, port)"
    assert only(call) == f"{PARAMETERS}.greet: {RESOURCE} has no such parameter {known}"
    call = plan("bundle.toml", 'greet = "Hi!"', 'port = "5678"')
    assert call.code == 0
    call = plan(AGENT, 'name="port" unique="1" required="0"', 'name="port" required="1"')
    assert call.code == 0
    call = plan("bundle.toml", 'port = "5678"', 'bind = "::1"')
    assert only(call) == f"{PARAMETERS}.port: is missing; {RESOURCE} requires it"


@pytest.mark.parametrize(
    ("kind", "value", "finding"),
    [
        ("boolean", "maybe", "'maybe' is neither true nor false, which greet of the agent is"),
        ("boolean", "flase", "'flase' is neither true nor false, which greet of the agent is"),
        ("boolean", "ON", None),
        ("boolean", "0", None),
        ("integer", "-1", None),
        ("string", "7 a", None),
        ("time", "10s", None),
    ],
)
def test_a_value_is_of_the_parameters_type(
    plan: Plan, kind: str, value: str, finding: str | None
) -> None:
    plan(AGENT, 'type="string" default="${OCF_RESKEY_greet_default}"', f'type="{kind}"')
    call = plan("bundle.toml", '{ greet = "Hi!" }', f'{{ greet = "{value}" }}')
    if finding:
        assert only(call) == f"{PARAMETERS}.greet: {finding}"
    else:
        assert (call.code, call.stderr) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("</actions>", "", "the meta-data is not XML: mismatched tag"),
        ("</resource-agent>", "", "the meta-data is not XML: no element found"),
        ("Greeting<", "Bows & greetings<", "the meta-data is not XML: not well-formed"),
        ('default="${OCF_RESKEY_port_default}"', "default=5678", "the meta-data is not XML: "),
        ("<shortdesc", "<shortdesc lang='en'", "the meta-data is not XML: duplicate attribute"),
        ('agent name="sample-tcp-server"', 'agent name="tcp-server"', "the meta-data's name is"),
        ("<version>1.0<", "<version>0.1<", "<version> is '0.1', which pcs refuses"),
        ('<action name="stop"         timeout="20s" />', "", "the meta-data has no action 'stop'"),
        ('"start"        timeout="20s"', '"start"', "the action 'start' has no timeout"),
    ],
)
def test_meta_data_is_well_formed_and_of_this_agent(
    plan: Plan, old: str, new: str, finding: str
) -> None:
    call = plan(AGENT, old, new)
    assert call.code == 3
    (shown,) = call.stderr.splitlines()[:-1]
    assert f": {finding}" in shown
    file, line, _ = shown.split(":", 2)
    assert file == AGENT
    # The line that was changed, or the next one at which a parser notices.
    text = (ROOT / AGENT).read_text("utf-8").split("\n")
    assert any("<" in each for each in text[int(line) - 3 : int(line)])


def test_meta_data_that_only_a_run_could_tell_is_let_be(plan: Plan) -> None:
    call = plan(AGENT, "</parameters>", "$(more_parameters)</parameters>")
    assert (call.code, call.stderr) == (0, "")
    call = plan("bundle.toml", '{ greet = "Hi!" }', '{ prot = "http" }')
    assert (call.code, call.stderr) == (0, "")
    call = plan(AGENT, 'timeout="20s" interval="10s"', 'timeout="$(slow)" interval="10s"')
    assert (call.code, call.stderr) == (0, "")
    call = plan(AGENT, 'agent name="sample-tcp-server"', 'agent name="$(basename "$0")"')
    assert (call.code, call.stderr) == (0, "")


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        (AGENT, "r@$", "@$", "drives sample-tcp-serve@.service"),
        (AGENT, "r@${", "s@${", "drives sample-tcp-serves@.service"),
        (AGENT, "tcp-server@${", "tcp-srever@${", "drives sample-tcp-srever@.service"),
        (AGENT, "sample-tcp-server@${", "simple-tcp-server@${", "drives simple-tcp-server@"),
        (AGENT, "sample-tcp-server@${", "sample_tcp_server@${", "drives sample_tcp_server@"),
        (AGENT, "sample-tcp-server@${", "other@${", None),
        (AGENT, "sample-tcp-server@${", "sample-tcp-server-2@${", None),
        (AGENT, "sample-tcp-server@${", "${name}@${", None),
        ("bundle.toml", RESOURCE, "systemd:sample-tcp-server", "sample-tcp-server is no unit of"),
        ("bundle.toml", RESOURCE, "systemd:sample-tcp-srv@A", "sample-tcp-srv@A is no unit of the"),
        ("bundle.toml", RESOURCE, "systemd:sample-tcp-server@A", None),
        ("bundle.toml", RESOURCE, "systemd:nginx", None),
    ],
)
def test_a_unit_is_the_packages_or_somebody_elses(
    plan: Plan, file: str, old: str, new: str, finding: str | None
) -> None:
    call = plan(file, old, new)
    if finding:
        assert call.code == 3
        assert f": {finding}" in call.stderr
        assert "@.service" in call.stderr
    else:
        assert (call.code, call.stderr) == (0, "")


def test_an_agent_of_no_service_drives_no_unit_of_the_packages_name(plan: Plan) -> None:
    text = (ROOT / "bundle.toml").read_text("utf-8")
    service = text[text.index("[service]") : text.index("[cluster]")]
    call = plan("bundle.toml", service, "")
    assert call.code == 3
    assert "drives sample-tcp-server@.service, which the package does not have" in call.stderr


@pytest.mark.parametrize(
    ("ip", "address", "is_carried"),
    [
        ("172.16.0.50", "172.16.0.51", False),
        ("172.16.0.50/24", "172.16.0.50", True),
        ("2001:db8::50", "2001:DB8:0:0::50", True),
        ("2001:db8::50", "2001:db8::5", False),
        ("172.16.0.50", "2001:db8::51", False),
        ("172.16.0.50", "172.16.0.5", False),
        ("vip.example.org", "172.16.0.51", True),
    ],
)
def test_a_resource_has_the_answers_address(
    plan: Plan, ip: str, address: str, is_carried: bool
) -> None:
    plan("bundle.toml", 'ip = "172.16.0.50"', f'ip = "{ip}"')
    call = plan("bundle.toml", 'address = "172.16.0.50"', f'address = "{address}"')
    if is_carried:
        assert (call.code, call.stderr) == (0, "")
    else:
        sentence = f"no resource has the address {address}; ask {ip}, or add a resource for it"
        assert only(call) == f"bundle.toml: cluster.answer.address: {sentence}"


def test_without_a_virtual_address_clients_ask_a_nodes_own(plan: Plan) -> None:
    plan("bundle.toml", "ocf:heartbeat:IPaddr2", "ocf:heartbeat:Dummy")
    call = plan("bundle.toml", 'ip = "172.16.0.50", cidr_netmask = "24"', 'state = "/run/x"')
    assert (call.code, call.stderr) == (0, "")


def test_an_address_that_the_bundle_names_elsewhere_may_be_anywhere(plan: Plan) -> None:
    plan(AGENT, "set -f", "set -f\n# adds 172.16.0.51/24 as well")
    call = plan("bundle.toml", 'address = "172.16.0.50"', 'address = "172.16.0.51"')
    assert (call.code, call.stderr) == (0, "")


def test_a_port_that_no_parameter_has_is_a_warning(plan: Plan) -> None:
    call = plan("bundle.toml", "port = 5678", "port = 5679")
    assert call.code == 0
    assert call.stderr == (
        "warning: bundle.toml:68: cluster.answer.port: is 5679, but TCP-SERVER has the parameter "
        "port=5678; does something answer at 5679?\n"
    )
    call = plan("bundle.toml", '{ greet = "Hi!" }', '{ port = "5679" }')
    assert (call.code, call.stderr) == (0, "")


def test_all_of_it_comes_at_once_with_the_faults_of_the_manifest(plan: Plan) -> None:
    plan("bundle.toml", '{ greet = "Hi!" }', '{ prot = "x" }')
    plan("bundle.toml", "daemon-killed = 1000", "deamon-killed = 1000")
    call = plan(AGENT, "</actions>", "")
    assert call.code == 3
    places = [line.split(":")[0] for line in call.stderr.splitlines()]
    assert places == [AGENT, "bundle.toml", "error"]
