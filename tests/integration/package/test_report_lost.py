# SPDX-License-Identifier: Apache-2.0
"""What the crash hook reports to Pacemaker, and that a crash is counted once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeb.package.render import render
from support.fake_pacemaker import Tools

STATUS = """<pacemaker-result>
  <summary><current_dc present="true" version="{version}" name="ha1"/></summary>
  <nodes><node name="ha1" id="1" maintenance="false" type="{type}"/></nodes>
  <resources>
    <resource id="OTHER" active="true" managed="false"><node name="ha1"/></resource>
    <resource id="R" resource_agent="ocf:a:b" active="true" managed="{managed}" failed="false">
      <node name="{runs_on}" id="1" cached="true"/>
    </resource>
  </resources>
  <node_history><node name="ha1">
    <resource_history id="R" orphan="false" migration-threshold="{threshold}"/>
  </node></node_history>
  <status code="0" message="OK"/>
</pacemaker-result>
"""
OLD, NEW = "2.1.5-a3f44794f94", "3.0.0-3.0.0"
TOLD = "<4>told Pacemaker that R ended on ha1\n"
NOT_TOLD = "<4>could not tell Pacemaker that R ended on ha1: its next monitor will\n"
ATTRIBUTE = """
case $* in
*--query*) echo "name=\\"count\\" host=\\"ha1\\" value=\\"$(cat "$directory/count")\\"" ;;
*"--update value+="*)
    change=$*
    echo $(($(cat "$directory/count") + ${change##*+=})) >"$directory/count"
    ;;
esac
"""
RESOURCE = 'echo $(($(cat "$directory/count") + {times})) >"$directory/count"'


def status(
    version: str = NEW,
    kind: str = "member",
    managed: str = "true",
    runs_on: str = "ha1",
    threshold: str = "1000000",
) -> str:
    values = {"version": version, "type": kind, "managed": managed, "runs_on": runs_on}
    return STATUS.format(**values, threshold=threshold)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """A Pacemaker that counts each report once and has no on-fail anywhere."""
    made = Tools(tmp_path / "tools")
    made.add("pidof", "exit 0")
    made.prints("crm_mon", status())
    made.prints("cibadmin", "", status=105)
    made.add("attrd_updater", ATTRIBUTE)
    made.add("crm_resource", RESOURCE.format(times=1))
    made.write("count", "3\n")
    return made


def crash(tools: Tools) -> str:
    """What the hook writes to the journal; it never fails."""
    script = tools.directory.parent / "report-lost"
    script.write_text(render("usr/lib/NAME/report-lost", name="greeter"), "utf-8")
    mark = tools.directory.parent / "R.watched"
    mark.write_text("R\nha1\n4711\n", "utf-8")
    done = tools.run(script, mark)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("version", "threshold", "times"),
    [
        *((NEW, threshold, 1) for threshold in ("1000000", "2", "")),
        *((old, "2", times) for times in (1, 2) for old in (OLD, "2.0.5-ba59be71228")),
        *((OLD, "1000000", times) for times in (1, 2)),
        ("2.1.6-6fdc9deea29", "2", 1),
    ],
)
def test_a_crash_is_counted_once(tools: Tools, version: str, threshold: str, times: int) -> None:
    tools.prints("crm_mon", status(version, threshold=threshold))
    tools.add("crm_resource", RESOURCE.format(times=times))
    assert crash(tools) == TOLD
    assert tools.read("count") == "4\n"
    assert tools.calls("crm_resource") == ["--fail --resource R --node ha1"]


@pytest.mark.parametrize(("version", "threshold"), [(NEW, "1000000"), (OLD, "2")])
def test_a_report_that_was_sent_and_not_counted_is_no_report(
    tools: Tools, version: str, threshold: str
) -> None:
    """crm_resource ends with 0 once it has sent the report; what was corrected is given back."""
    tools.prints("crm_mon", status(version, threshold=threshold))
    tools.add("crm_resource", "exit 0")
    assert crash(tools) == NOT_TOLD
    assert tools.read("count") == "3\n"


def test_a_report_that_cannot_be_sent_is_no_report(tools: Tools) -> None:
    tools.prints("crm_mon", status(OLD, threshold="2"))
    tools.add("crm_resource", "exit 1")
    assert crash(tools) == NOT_TOLD
    assert tools.read("count") == "3\n"


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_remote_node_leaves_it_to_the_monitor(tools: Tools, version: str) -> None:
    tools.prints("crm_mon", status(version, kind="remote", threshold="2"))
    assert crash(tools) == (
        "<4>R ended on ha1: left to its monitor, as Pacemaker takes no report from a remote node\n"
    )
    assert (tools.calls("crm_resource"), tools.read("count")) == ([], "3\n")


@pytest.mark.parametrize(
    "answer", [status(managed="false"), status(runs_on="ha2"), status().replace('"R"', '"S"')]
)
def test_what_the_cluster_does_not_run_here_is_the_operators(tools: Tools, answer: str) -> None:
    tools.prints("crm_mon", answer)
    assert crash(tools) == ""
    assert tools.calls("crm_resource") == []


@pytest.mark.parametrize("program", ["crm_mon", "cibadmin"])
def test_a_pacemaker_that_does_not_answer_yet_is_asked_again(tools: Tools, program: str) -> None:
    tools.write(f"{program}.silent", "2")
    assert crash(tools) == TOLD
    assert len(tools.calls(program)) == 3


def test_without_pacemaker_nothing_is_asked_again(tools: Tools) -> None:
    tools.prints("crm_mon", "", status=102)
    tools.add("pidof", "exit 1")
    assert crash(tools) == ""
    assert len(tools.calls("crm_mon")) == 1


def test_another_on_fail_leaves_it_to_the_monitor(tools: Tools) -> None:
    tools.prints("cibadmin", '<op name="monitor"\n on-fail=\'block\' id="m"/>\n')
    assert crash(tools) == "<4>R ended on ha1: left to its monitor, which has on-fail=block\n"
    default = '<nvpair id="x" name="on-fail" value="stop"/>'
    tools.prints("cibadmin", f'<op_defaults><meta_attributes id="d">{default}')
    said = "left to its monitor, which may not have the default on-fail=stop\n"
    assert crash(tools) == f"<4>R ended on ha1: {said}"
    assert tools.calls("crm_resource") == []


def test_pacemakers_xml_is_read_as_xml(tools: Tools) -> None:
    """Neither the order of attributes nor quotes or line ends matter."""
    answer = status().replace(
        '<resource id="R" resource_agent="ocf:a:b" active="true" managed="true" failed="false">',
        "<resource\n  managed='true' failed=\"a > b\"\n\tactive='true'\n  id='R' >",
    )
    assert answer != status()
    tools.prints("crm_mon", answer)
    assert crash(tools) == TOLD


def test_each_xpath_is_a_single_line(tools: Tools) -> None:
    """Pacemaker 2.1.5 finds nothing with an XPath of several lines, and says so with 105."""
    crash(tools)
    (query,) = tools.calls("cibadmin")
    assert query.startswith("--query --xpath (")
