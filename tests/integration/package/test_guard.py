# SPDX-License-Identifier: Apache-2.0
"""When the maintainer scripts refuse, from what crm_mon printed on real clusters.

The recorded ones have nodes ha1 and ha2 and a remote node r1, where SAMPLE and RT run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hadeb.package.render import render
from support.fake_pacemaker import Tools

RECORDED = Path(__file__).parent / "recorded"
VALUES = {"name": "greeter", "service": None, "python": False}
AGENTS = ["kamaboko:sample-resource", "kamaboko:sample-tcp-server"]
# As the tool of a remote node: it keeps the value, and says whose it is.
ATTRIBUTE = """
case $* in
*--update=*) value=$*; echo "${value##*--update=}" >"$directory/value" ;;
*--query*)
    printf 'name="hadeb-asks" host="ha1" value=""\\n'
    printf 'name="hadeb-asks" host="r1" value="%s"\\n' "$(cat "$directory/value")"
    ;;
esac
"""


@pytest.fixture(params=["bookworm", "trixie"])
def recorded(request: pytest.FixtureRequest) -> str:
    """What crm_mon prints; TCP-SERVER runs on ha1."""
    return (RECORDED / f"{request.param}.xml").read_text("utf-8")


@pytest.fixture
def tools(tmp_path: Path, recorded: str) -> Tools:
    """The node ha1, whose history says nothing of monitors or of operations in progress."""
    made = Tools(tmp_path / "tools")
    is_there("pacemakerd", made)
    made.prints("crm_node", "ha1\n")
    made.prints("crm_mon", recorded)
    made.prints("cibadmin", "", status=105)
    made.prints("crm_resource", "")
    return made


def is_there(daemon: str, tools: Tools) -> None:
    tools.add("pidof", f'case " $* " in *" {daemon} "*) ;; *) exit 1 ;; esac')


def remove(tools: Tools, agents: list[str] = AGENTS) -> subprocess.CompletedProcess[str]:
    script = tools.directory.parent / "prerm"
    script.write_text(render("DEBIAN/prerm", **{**VALUES, "agents": agents}), "utf-8")
    return tools.run(script, "remove")


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 1
    return done.stderr.splitlines()


def on_remote(tools: Tools) -> None:
    is_there("pacemaker-remoted", tools)
    (tools.directory / "crm_node").unlink()
    tools.add("attrd_updater", ATTRIBUTE)


def test_a_node_that_runs_it_keeps_it(tools: Tools) -> None:
    assert lines(remove(tools))[:4] == [
        "greeter: not removed: the cluster runs TCP-SERVER on this node, ha1.",
        "  Without its agent the cluster could not stop it, and a failed stop gets a node fenced.",
        "  Move it to another node:  pcs node standby ha1",
        "  or stop it everywhere:    pcs resource disable TCP-SERVER",
    ]


def test_a_remote_node_that_runs_it_keeps_it(tools: Tools) -> None:
    on_remote(tools)
    assert lines(remove(tools))[:5] == [
        "greeter: not removed: the cluster runs SAMPLE RT on this node, r1.",
        "  Without its agent the cluster could not stop it, and a failed stop gets a node fenced.",
        "  On a node of the cluster, not on this remote one:",
        "  Move it to another node:  pcs node standby r1",
        "  or stop it everywhere:    pcs resource disable SAMPLE RT",
    ]
    assert tools.calls("attrd_updater")[-1] == "--name=hadeb-asks --delete"


def test_a_remote_node_that_does_not_run_it_lets_it_go(tools: Tools, recorded: str) -> None:
    on_remote(tools)
    for resource in ("SAMPLE", "RT"):
        recorded = moved(recorded, resource)
    tools.prints("crm_mon", recorded)
    done = remove(tools)
    assert (done.returncode, done.stderr) == (0, "")


def moved(recorded: str, resource: str) -> str:
    before, found, after = recorded.partition(f'<resource id="{resource}"')
    return before + found + after.replace('<node name="r1" id="r1"', '<node name="ha2" id="2"', 1)


def test_other_agents_do_not_hold_it(tools: Tools) -> None:
    done = remove(tools, ["kamaboko:another", "another:sample-tcp-server"])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("daemon", ["pacemakerd", "pacemaker-remoted"])
def test_a_pacemaker_that_does_not_answer_yet_is_asked_again(tools: Tools, daemon: str) -> None:
    if daemon == "pacemaker-remoted":
        on_remote(tools)
        tools.add("attrd_updater", ATTRIBUTE, silent=2)
    else:
        tools.prints("crm_node", "ha1\n", silent=2)
    tools.prints("crm_mon", tools.read("crm_mon.txt"), silent=3)
    tools.prints("cibadmin", "", status=105, silent=2)
    assert "the cluster runs" in lines(remove(tools))[0]


@pytest.mark.parametrize(
    ("daemon", "stop"),
    [
        ("pacemakerd", "pcs cluster stop"),
        ("pacemaker-remoted", "systemctl stop pacemaker_remote"),
    ],
)
def test_a_pacemaker_that_never_answers_holds_it(tools: Tools, daemon: str, stop: str) -> None:
    if daemon == "pacemaker-remoted":
        on_remote(tools)
    tools.add("crm_mon", "exit 124")  # as after a time limit
    first, _, last, *_ = lines(remove(tools))
    assert first == (
        "greeter: not removed: Pacemaker runs on this node, but does not say what it runs."
    )
    assert last == f"  or stop it here:          {stop}"


@pytest.mark.parametrize("tool", ["crm_mon", "cibadmin"])
def test_a_tool_that_is_missing_is_named(tools: Tools, tool: str) -> None:
    (tools.directory / tool).unlink()
    first, second, *_ = lines(remove(tools))
    assert first.endswith(f"Pacemaker runs on this node, and {tool}, which says what, is missing.")
    assert second == "  Install it:               apt-get install pacemaker-cli-utils"


@pytest.mark.parametrize(
    ("change", "line", "advice"),
    [
        (
            ('maintenance-mode="false"', 'maintenance-mode="true"'),
            "The cluster does not manage TCP-SERVER now: it is in maintenance.",
            "First end that:           pcs property set maintenance-mode=false",
        ),
        (
            ('standby_onfail="false" maintenance="false"', 'maintenance="true"'),
            "The cluster does not manage TCP-SERVER now: it is in maintenance.",
            "First end that:           pcs node unmaintenance ha1",
        ),
        (
            ("", ""),
            "The cluster does not manage TCP-SERVER now.",
            "First let it again:       pcs resource manage TCP-SERVER",
        ),
        (
            ('blocked="false"', 'blocked="true"'),
            "The cluster does not manage TCP-SERVER now.",
            "When it is stopped here:  pcs resource cleanup TCP-SERVER",
        ),
        (
            ('orphaned="false"', 'orphaned="true"'),
            "The cluster does not manage TCP-SERVER now.",
            "First let it stop it:     pcs property set stop-orphan-resources=true",
        ),
    ],
)
def test_what_the_cluster_does_not_manage_is_to_be_managed_first(
    tools: Tools, recorded: str, change: tuple[str, str], line: str, advice: str
) -> None:
    tools.prints("crm_mon", recorded.replace('managed="true"', 'managed="false"').replace(*change))
    assert lines(remove(tools))[2:4] == [f"  {line}", f"  {advice}"]


def test_maintenance_of_a_resource_is_ended_for_the_resource(tools: Tools, recorded: str) -> None:
    tools.prints("crm_mon", recorded.replace('managed="true"', 'managed="false"'))
    tools.prints("crm_resource", "true\n")
    advice = "  First let it again:       pcs resource meta TCP-SERVER maintenance=false"
    assert lines(remove(tools))[3] == advice


PATH = "/cib/status/node_state[@id='1']/lrm[@id='1']/lrm_resources/lrm_resource[@id='R']"
OPERATION = f"{PATH}/lrm_rsc_op[@id='R_monitor_10000']\n"


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ("op-status", "the cluster is just doing something with R on this node, ha1."),
        (
            "@interval",
            "the cluster still monitors R on this node, ha1, although it is stopped here.",
        ),
    ],
)
def test_what_the_cluster_may_still_ask_the_agent_holds_it(
    tools: Tools, recorded: str, asked: str, refusal: str
) -> None:
    tools.prints("crm_mon", recorded.replace("sample-tcp-server", "another"))
    tools.write("path", OPERATION)
    answers = f"""case $* in
    *starts-with*) exit 105 ;;
    *"{asked}"*) cat "$directory/path" ;;
    *) exit 105 ;;
    esac"""
    tools.add("cibadmin", answers)
    agents = ["kamaboko:sample-tcp-server"]
    said = lines(remove(tools, agents))
    assert said[0] == f"greeter: not removed: {refusal}"
    for query in tools.calls("cibadmin"):
        assert query.startswith("--query --node-path --xpath //node_state[@uname='ha1']")
