# SPDX-License-Identifier: Apache-2.0
"""The last words before a failure are those of the agent, of the daemon and of its unit."""

from __future__ import annotations

from hadeb.lab.verdict.events import BEGUN, Operation
from hadeb.lab.verdict.words import last_words

JOURNAL = """\
100.000000 ha3 tickd[9]: started long ago
119.000000 ha3 pacemaker-controld[49]:  notice: Requesting local execution of stop operation
119.100000 ha3 tickd[9]: will not end
119.200000 ha3 tickd[9]: will not end
119.300000 ha3 chronyd[5]: no clock
119.400000 ha3 tickd(TICK)[77]: INFO: stopping
119.500000 ha3 IPaddr2(TICK-IP)[78]: INFO: of another resource
120.000000 ha3 systemd[1]: Starting something.service - Something...
120.500000 ha3 systemd[1]: tickd@TICK.service: State 'stop-sigterm' timed out. Killing.
120.600000 ha3 systemd[1]: tickd@TICK.service: Failed with result 'timeout'.
121.000000 ha3 pacemaker-execd[46]:  notice: TICK_stop_0[77] error output [ ocf-exit-reason:no \
luck ]
125.000000 ha3 tickd[9]: long after
"""
COURSE = (
    Operation(19.0, "stop", "TICK", "ha3", BEGUN),
    Operation(21.1, "stop", "TICK", "ha3", "error (no luck)"),
)


def words(*failures: Operation) -> list[str]:
    course = [*COURSE, *failures]
    heard = last_words(failures, course, [JOURNAL, JOURNAL.replace("ha3", "ha1")], 100.0)
    assert {event.kind for event in heard} <= {"words"}
    return [f"{event.node} {event.at:+.1f} {event.text}" for event in heard]


def test_they_are_the_bundles_and_not_the_clusters() -> None:
    assert words(COURSE[1]) == [
        "ha3 +19.2 tickd: will not end",
        "ha3 +19.4 tickd(TICK): INFO: stopping",
        "ha3 +20.5 tickd@TICK.service: State 'stop-sigterm' timed out. Killing.",
        "ha3 +20.6 tickd@TICK.service: Failed with result 'timeout'.",
        "ha3 +21.0 stop of TICK: no luck",
    ]


def test_a_failure_without_a_begin_has_the_words_just_before_it() -> None:
    assert words(Operation(2.0, "monitor", "TICK", "ha1", "error")) == [
        "ha1 +0.0 tickd: started long ago"
    ]


def test_where_nothing_failed_nobody_is_quoted() -> None:
    assert words() == []
