# SPDX-License-Identifier: Apache-2.0
"""Sample reports: a typical one, and one full of characters that break writers.

    python3 tests/support/report_sample.py >report.html

writes the first as a page, to look at.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from hadeb.lab.client.answers import Turn
from hadeb.lab.client.stored import Reading
from hadeb.lab.report.page import page
from hadeb.lab.verdict.result import Event, LeftOut, Report, Run, Trial, Version

OWN, OTHER = "ocf:kamaboko:sample-tcp-server", "ocf:kamaboko:sample-resource"
COMMANDS = (
    "pcs property set stonith-enabled=false",
    "pcs resource create VIP ocf:heartbeat:IPaddr2 ip=172.16.0.50 cidr_netmask=24"
    " op monitor interval=10s on-fail=standby",
    "pcs resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!",
    "pcs constraint colocation add TCP-SERVER with VIP INFINITY",
)


def moved(
    fault: str, did: str, gap: float, *events: Event, start: float = 0.06, to: str = "ha2"
) -> Trial:
    """ha1 served, and after a gap another node or the same one."""
    turns = (
        Turn("ha1", -4.0, start, round((start + 4.0) * 50)),
        Turn(to, start + gap, start + gap + 6.0, 300),
    )
    return Trial(
        fault=fault,
        did=did,
        expected="another node serves" if to != "ha1" else "the same node serves again",
        seconds=round(gap + 14.2, 3),
        outage=gap,
        budget=15.0,
        before="ha1",
        after=to,
        turns=turns,
        direct=turns,
        refused=round(gap * 40),
        events=events,
        logs=(f"{fault}/ha1.log", f"{fault}/ha2.log", f"{fault}/ha3.log"),
    )


def cut(at: float = 0.0) -> tuple[Event, ...]:
    """What a cluster logs after a node died, `at` seconds late."""
    return (
        Event(3.0 + at, "ha3", "corosync: a token was lost, forming a new configuration"),
        Event(4.21 + at, "ha2", "corosync has a new membership, without ha1"),
        Event(4.22 + at, "ha3", "corosync has a new membership, without ha1"),
        Event(4.35 + at, "ha2", "elected designated controller"),
        Event(4.61 + at, "ha2", "started VIP"),
        Event(4.97 + at, "ha2", "started TCP-SERVER"),
    )


def split() -> Trial:
    """The network was cut, and for a while two nodes answered."""
    turns = (Turn("ha1", -4.0, 6.4, 520), Turn("ha2", 8.9, 14.5, 280))
    return Trial(
        fault="network-cut",
        did="Cut ha1 off from the other nodes, and joined it again after 10 s.",
        expected="the majority serves, and ha1 stops by itself",
        seconds=31.4,
        outage=2.5,
        budget=15.0,
        before="ha1",
        after="ha2",
        turns=turns,
        direct=(Turn("ha1", -4.0, 10.2, 710), Turn("ha2", 8.7, 14.5, 290)),
        refused=61,
        events=(
            Event(0.0, "", "cut ha1 off from ha2 and ha3", "fault"),
            Event(3.0, "ha2", "corosync: a token was lost, forming a new configuration"),
            Event(4.2, "ha2", "corosync has a new membership, without ha1"),
            Event(4.9, "ha1", "partition without quorum, stopping all resources"),
            Event(8.4, "ha2", "started VIP"),
            Event(8.7, "ha2", "started TCP-SERVER"),
            Event(10.0, "", "joined ha1 with ha2 and ha3", "fault"),
            Event(10.2, "ha1", "stopped TCP-SERVER"),
        ),
        shortfalls=(
            "ha1 and ha2 both answered for 1.5 s, from 8.7 s to 10.2 s after the fault:"
            " two instances were active.",
        ),
        logs=("network-cut/ha1.log", "network-cut/ha2.log", "network-cut/ha3.log"),
    )


def lost() -> Trial:
    """The service did not come back."""
    return Trial(
        fault="disk-full",
        did="Filled the file system of /run on the node that served, and killed the daemon.",
        expected="another node serves",
        seconds=60.0,
        outage=None,
        budget=15.0,
        before="ha1",
        after="",
        turns=(Turn("ha1", -4.0, 0.04, 202),),
        direct=(Turn("ha1", -4.0, 0.04, 202),),
        refused=2988,
        events=(
            Event(0.0, "ha1", "filled /run and killed the daemon", "fault"),
            Event(0.31, "ha1", "TCP-SERVER failed: the crash hook reported it"),
            Event(0.44, "ha1", "stop of TCP-SERVER failed: no space left on device"),
            Event(0.52, "ha2", "TCP-SERVER is blocked: its stop failed, and no node can be fenced"),
        ),
        shortfalls=(
            "Nobody answered within 60 s.",
            "TCP-SERVER is blocked on ha1: `crm_resource --cleanup` was needed to go on.",
        ),
        readings=(Reading(-1.1, 71.2, "older", "daemon-killed", "hadeb-daemon-killed-0", True),),
        cause="59.1 s of the 60.0 s without an answer: the stop of TCP-SERVER on ha1, whose timeout"
        " is 20 s, had not ended. The stop of ocf:kamaboko:sample-tcp-server sets it",
        remedies=("ocf:kamaboko:sample-tcp-server: stop has to end what it stops",),
        words=(Event(0.43, "ha1", "stop of TCP-SERVER: no space left on device", "words"),),
        late=0.031,
        logs=("disk-full/ha1.log", "disk-full/ha2.log"),
    )


def upgraded() -> Trial:
    """A rolling upgrade without an outage."""
    turns = (Turn("ha1", -4.0, 12.0, 800),)
    return replace(
        moved("package-upgrade", "Installed the same package again on every node.", 0.02),
        expected="nobody notices",
        outage=0.021,
        budget=None,
        after="ha1",
        turns=turns,
        direct=turns,
        refused=0,
        readings=(Reading(-1.104, 12.5, "kept", "", "a value", False),),
        events=(
            Event(0.0, "ha1", "dpkg --install", "fault"),
            Event(2.2, "ha2", "dpkg --install", "fault"),
            Event(4.3, "ha3", "dpkg --install", "fault"),
        ),
    )


def trials(slower: float) -> tuple[Trial, ...]:
    """The faults in an order that a lab would try them in; the agent finds some of them late."""
    crash = (
        Event(0.0, "ha1", "killed the daemon", "fault"),
        Event(0.05 + slower, "ha1", "TCP-SERVER failed: the daemon ended"),
        Event(0.21 + slower, "ha1", "stopped TCP-SERVER"),
        Event(0.48 + slower, "ha1", "started TCP-SERVER"),
    )
    return (
        moved("power-cut", "Cut the power of the node that served.", 5.02, *cut()),
        moved(
            "daemon-killed", "Sent the daemon KILL.", 0.47 + slower, *crash, start=0.01, to="ha1"
        ),
        moved(
            "daemon-hangs",
            "Stopped the daemon with STOP: it lives, and answers nobody.",
            3.9 + slower,
            Event(0.0, "ha1", "sent STOP", "fault"),
            Event(3.1 + slower, "ha1", "the deep monitor of TCP-SERVER timed out"),
            Event(3.5 + slower, "ha1", "stopped TCP-SERVER"),
            Event(3.9 + slower, "ha1", "started TCP-SERVER"),
            start=0.0,
            to="ha1",
        ),
        moved(
            "node-standby",
            "Asked the cluster to move everything off the node that served.",
            0.83,
            Event(0.0, "ha1", "pcs node standby", "fault"),
            Event(0.2, "ha1", "stopped TCP-SERVER"),
            Event(0.4, "ha1", "stopped VIP"),
            Event(0.6, "ha2", "started VIP"),
            Event(0.9, "ha2", "started TCP-SERVER"),
        ),
        upgraded(),
    )


def sample(*, compared: bool = True, short: bool = True) -> Report:
    """A lab run of the sample bundle."""
    own = trials(0.0)
    if short:
        own = (*own[:2], split(), *own[2:], lost())
    runs = [Run(OWN, own, (LeftOut("address-removed", "there is no virtual address"),))]
    if compared:
        runs.append(Run(OTHER, trials(9.7)))
    return Report(
        package="sample-tcp-server",
        version="1.0",
        suite="trixie",
        nodes=("ha1", "ha2", "ha3"),
        commands=COMMANDS,
        began="2025-06-14T21:03:07+00:00",
        ready=9.482,
        seconds=271.3,
        runs=tuple(runs),
        data=(
            "/var/lib/sample of TCP-SERVER stays on its node: it does not move with the service",
        ),
        mapped=("VIP: bond0 is an interface of each node on the lab's one network",),
        versions=(Version("hadeb", "0.1.0"), Version("pacemaker", "3.0.0-3")),
    )


HOSTILE = (
    "<script>alert('x')</script>",
    'a "quoted" & <b>bold</b> word ]]> --> ',
    "\x00\x01\x1b[31mred\x1b[0m\x7f\x85 \ufffe \udcff",
    "\u202etfel ot thgir\u202c \u05e9\u05dc\u05d5\u05dd",
    "w" * 300,
    "\u6f22\u5b57" * 40 + " e\u0301" * 9,
    "two\nlines {{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)//../../etc/passwd?a=b#c",
)


def hostile(*, compared: bool = False) -> Report:
    """Each text is one that breaks a writer which trusts it."""
    script, quoted, control, turned, long, wide, lines, link = HOSTILE
    event_texts = tuple(Event(0.5 + n / 9, f"n{n % 9}", text) for n, text in enumerate(HOSTILE))
    bad = Trial(
        fault=script,
        did=quoted,
        expected=control,
        seconds=3.00049,
        outage=None,
        budget=None,
        before=turned,
        after="",
        turns=(),
        direct=(),
        refused=10**9,
        events=(*event_texts, Event(0.0, "", lines, "fault"), Event(-1.5, script, control)),
        shortfalls=HOSTILE,
        readings=tuple(Reading(-1.0, 1.0, "gone", "", text, False) for text in HOSTILE),
        cause=script,
        remedies=HOSTILE,
        words=event_texts,
        late=1e-9,
        logs=HOSTILE,
    )
    both = (Turn(script, 0.0, 2.0, 9), Turn("n0", 1.0, 3.0, 1), Turn("n8", 1.2, 1.2, 1))
    good = replace(
        bad, fault=long, outage=1e-9, budget=0.0, after=wide, turns=both, direct=both, shortfalls=()
    )
    same = replace(good, fault=script, turns=(Turn(wide, 0.5, 0.5, 1),), events=())
    nodes = (script, *(f"n{n}" for n in range(9)))
    left_out = tuple(LeftOut(text, text) for text in HOSTILE)
    runs = [Run(lines, (bad, good, same, replace(bad, fault=wide)), left_out)]
    if compared:
        runs.append(Run(link, (replace(bad, fault=turned), good)))
    return Report(
        package=script,
        version=quoted,
        suite=control,
        nodes=nodes,
        commands=HOSTILE,
        began=turned,
        ready=0.0,
        seconds=12345.6789,
        runs=tuple(runs),
        mapped=HOSTILE,
        versions=tuple(Version(text, text) for text in HOSTILE),
        data=HOSTILE,
    )


if __name__ == "__main__":
    sys.stdout.write(
        page(sample(compared="--compared" in sys.argv, short="--passed" not in sys.argv))
    )
