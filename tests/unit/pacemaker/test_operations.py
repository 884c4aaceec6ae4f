# SPDX-License-Identifier: Apache-2.0
"""Intervals and timeouts are those of the CIB, and a slow monitor is measured against them."""

from __future__ import annotations

import pytest

from hadeb.pacemaker.operations import Schedule, schedules, seconds, slow_monitors


def cib(took: int, *, interval: int = 5000, result: int = 0, defaults: str = "") -> str:
    """A CIB with one monitor of 5 s and a timeout of 20 s, that took some milliseconds."""
    return f"""
<cib><configuration>
 <op_defaults>{defaults}</op_defaults>
 <resources><group id="G"><primitive id="TICK"><operations>
  <op id="a" name="monitor" interval="5s" timeout="20s"/>
  <op id="b" name="stop" interval="0s"/>
 </operations></primitive></group></resources>
</configuration>
<status><node_state uname="ha2"><lrm><lrm_resources><lrm_resource id="TICK:0">
 <lrm_rsc_op operation="monitor" interval="{interval}" rc-code="{result}" exec-time="{took}"/>
 <lrm_rsc_op operation="start" interval="0" rc-code="0" exec-time="19000"/>
</lrm_resource></lrm_resources></lrm></node_state></status></cib>"""


def test_the_schedules_are_read_with_pacemakers_own_default() -> None:
    monitor = Schedule("TICK", "monitor", 5.0, 20.0)
    assert schedules(cib(0)) == (monitor, Schedule("TICK", "stop", 0.0, 20.0))
    pair = '<meta_attributes id="d"><nvpair id="t" name="timeout" value="2min"/></meta_attributes>'
    assert schedules(cib(0, defaults=pair)) == (monitor, Schedule("TICK", "stop", 0.0, 120.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("10s", 10), ("500ms", 0.5), ("2min", 120), (" 1 h ", 3600), ("x", 7), (None, 7)],
)
def test_durations_are_read_as_pacemaker_reads_them(text: str | None, value: float) -> None:
    assert seconds(text, 7) == value


def test_a_monitor_that_takes_most_of_its_interval_or_timeout_is_slow() -> None:
    (slow,) = slow_monitors(cib(15012))
    assert (slow.node, slow.seconds, slow.schedule.timeout) == ("ha2", 15.012, 20.0)
    assert len(slow_monitors(cib(2600, result=8))) == 1


@pytest.mark.parametrize(
    "quick", [cib(2400), cib(15012, result=1), cib(15012, interval=0), cib(15012, interval=7000)]
)
def test_quick_failed_and_unscheduled_monitors_are_not(quick: str) -> None:
    assert slow_monitors(quick) == []
