# SPDX-License-Identifier: Apache-2.0
"""The commands that `hadeb plan --pcs` and `--crm` print make the cluster of the manifest.

The golden files were given to pcs 0.11 and 0.12 and to crmsh 4.4 and 5.0 on a cluster's
configuration in a file; all took them, and each parameter arrived as it stands in the manifest.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadeb.manifest.cluster import ClusterTable, ColocationTable, OperationTable, ResourceTable
from hadeb.manifest.reader import read
from hadeb.pacemaker.commands import crm_commands, pcs_commands
from support.command import ROOT, call_hadeb
from support.samples import examples

QUICK = settings(max_examples=examples(100, 2000))
CLUSTER = ROOT / "tests/manifests/valid/cluster"
GOLDEN = ROOT / "tests/golden"

# As an operator would type them without hadeb.
SAMPLE = """\
pcs resource create SAMPLE ocf:kamaboko:sample-resource
pcs resource create VIP ocf:heartbeat:IPaddr2 ip=172.16.0.50 cidr_netmask=24 \
op monitor interval=10s on-fail=standby
pcs resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!
pcs constraint colocation add TCP-SERVER with VIP INFINITY
"""


def resource(**keys: object) -> ResourceTable:
    document = {"name": "A", "agent": "ocf:example:greeter", **keys}
    reading = read(ResourceTable, document)
    assert reading.complete, reading.problems
    return reading.complete


def read_by_crmsh(arguments: list[str]) -> list[str]:
    """What crmsh makes of its arguments: main.add_quotes, then ui_context.Context.run."""
    joined = []
    for argument in arguments:
        quote = "'" if '"' in argument else '"'
        quoted = " " in argument and quote not in argument
        joined.append(f"{quote}{argument}{quote}" if quoted else argument)
    return shlex.split(" ".join(joined))


def test_the_sample_is_made_by_the_commands_that_people_type() -> None:
    call = call_hadeb("plan", "--pcs", directory=ROOT)
    assert (call.code, call.stdout, call.stderr) == (0, SAMPLE, "")


@pytest.mark.parametrize("tool", ["pcs", "crm"])
def test_a_cluster_of_many_parts_is_made_as_before(
    tool: str, golden: Callable[[Path, str], None]
) -> None:
    call = call_hadeb("plan", f"--{tool}", directory=CLUSTER)
    assert call.code == 0
    # The agents of neither are known here; pcs asks them on a node.
    unknown = [line.split()[2] for line in call.stderr.splitlines()]
    assert unknown == ([] if tool == "pcs" else ["ADDRESS", "GREETER"])
    golden(GOLDEN / f"cluster.{tool}.txt", call.stdout)
    assert all(line.startswith(f"{tool} ") for line in call.stdout.splitlines())


def test_json_of_a_plan_holds_the_commands_where_there_is_a_cluster(tmp_path: Path) -> None:
    planned = json.loads(call_hadeb("plan", "--json", ROOT, directory=tmp_path).stdout)
    assert planned["cluster"]["pcs"] == SAMPLE.splitlines()
    assert planned["cluster"]["crm"][0].startswith("crm configure primitive SAMPLE ")
    without = call_hadeb("plan", "--json", directory=CLUSTER.parent / "links")
    assert "cluster" not in json.loads(without.stdout)


@QUICK
@given(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from("'\"\\ \t!$`"))
)
def test_a_parameter_arrives_as_it_is_written(value: str) -> None:
    if not value.strip():
        return
    cluster = ClusterTable(resource=(resource(parameters={"greet": value}),))
    (pcs,) = pcs_commands(cluster)
    assert shlex.split(pcs)[-1] == f"greet={value}"
    (crm,) = crm_commands(cluster, {})
    assert read_by_crmsh(shlex.split(crm)[1:])[5] == f"greet={value}"


@pytest.mark.parametrize("value", ["a!b", "!!", "Hi!!", "!x", "x !"])
def test_no_value_calls_up_the_history_of_an_interactive_bash(value: str) -> None:
    cluster = ClusterTable(resource=(resource(parameters={"greet": value}),))
    assert pcs_commands(cluster)[0].endswith(f" greet='{value}'")


def test_crmsh_watches_a_resource_that_names_no_monitor_as_pcs_does() -> None:
    plain = ClusterTable(resource=(resource(),))
    assert crm_commands(plain, {})[0].endswith(" op monitor interval=10s")
    start = OperationTable(name="start", timeout="9s")
    named = resource(operations=[{"name": "monitor", "interval": "7s"}])
    assert crm_commands(ClusterTable(resource=(named,)), {})[0].count(" op monitor ") == 1
    promotable = ResourceTable(name="A", agent="ocf:x:y", copies="promotable", operations=(start,))
    assert crm_commands(ClusterTable(resource=(promotable,)), {})[0].endswith(
        " op start timeout=9s"
        " op monitor interval=10s role=Promoted op monitor interval=11s role=Unpromoted"
    )


def test_pcs_takes_no_score_for_an_option() -> None:
    cluster = ClusterTable(
        resource=(resource(), resource(name="B")),
        colocation=(
            ColocationTable(resource="A", with_="B", score="-INFINITY"),
            ColocationTable(resource="B", with_="A", score="-5"),
        ),
    )
    assert [line.split()[-1] for line in pcs_commands(cluster)[2:]] == [
        "score=-INFINITY",
        "score=-5",
    ]


def test_no_constraint_of_crmsh_takes_the_name_of_something_else() -> None:
    names = ("A", "B-C", "A-B", "C", "colocation-A-B-C")
    cluster = ClusterTable(
        resource=tuple(resource(name=name) for name in names),
        colocation=(
            ColocationTable(resource="A", with_="B-C"),
            ColocationTable(resource="A-B", with_="C"),
        ),
    )
    made = [line.split()[3] for line in crm_commands(cluster, {})]
    assert len(set(made)) == len(made)
