# SPDX-License-Identifier: Apache-2.0
"""Cuts the power of a real cluster's active node, and draws who answered when.

    python3 tests/targets/failover_picture.py DEB PICTURE [bookworm|trixie]

Needs root. `make failover-picture` calls it for docs/failover.svg.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from hadeb.debian.releases import SUITES, Suite
from hadeb.errors import HadebError
from hadeb.lab.client.answers import TOGETHER, Answer, between, to_service, turns
from hadeb.lab.client.outage import outage
from hadeb.lab.cluster.cluster import Cluster
from hadeb.lab.node.node import Node
from hadeb.lab.report.timeline import Story, timeline
from hadeb.lab.verdict.result import Event
from hadeb.manifest.cluster import AnswerTable

ADDRESS = "172.16.0.50"
GREETING = AnswerTable(address=ADDRESS, port=5678, expect=r"This is (?P<node>\S+)!")
ARTICLE = (
    f"resource create VIP ocf:heartbeat:IPaddr2 ip={ADDRESS} cidr_netmask=24"
    ' op monitor interval=10s on-fail="standby"',
    "resource create TCP-SERVER ocf:kamaboko:sample-tcp-server greet=Hi!",
    "constraint colocation add TCP-SERVER with VIP INFINITY",
)
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
# What to look for in the heir's journal, and what it means to a reader.
SIGNS = (
    ("A new membership", "corosync has a new membership, without the dead node"),
    ("Result of start operation for VIP", "the address is up"),
    ("Result of start operation for TCP-SERVER", "the daemon has started and answered its agent"),
)


def main(deb: Path, picture: Path, suite: Suite) -> None:
    """Boot, cut, watch, draw."""
    with Cluster(suite, info=lambda line: print(line, file=sys.stderr)) as cluster:
        set_up(cluster, deb)
        with cluster.watch(GREETING) as watch:
            watch.until(lambda answers: spoke(answers, 0.0), timeout=20, what="no answer")
            time.sleep(3)
            victim = cluster[cluster.where("TCP-SERVER") or ""]
            cut = time.monotonic()
            victim.cut_power()
            watch.until(lambda answers: spoke(answers, cut + 1), timeout=60, what="no failover")
            time.sleep(3)
            answers = watch.answers
        cluster.settle()
        heir = cluster[cluster.where("TCP-SERVER") or ""]
        picture.write_text(
            timeline(story(suite, cluster, answers, cut, victim.name, heir)), encoding="utf-8"
        )


def set_up(cluster: Cluster, deb: Path) -> None:
    """Install the package on each node, and type the article's commands."""
    for node in cluster.nodes:
        node.push(deb, f"/root/{deb.name}")
        node.exec("dpkg", "-i", f"/root/{deb.name}")
    for command in ARTICLE:
        cluster.pcs(command)
    cluster.settle()


def spoke(answers: list[Answer], since: float) -> bool:
    """Whether the service answered since a moment."""
    return any(answer.who and answer.asked > since for answer in to_service(answers))


def story(
    suite: Suite, cluster: Cluster, answers: list[Answer], cut: float, victim: str, heir: Node
) -> Story:
    """The words and the numbers of the picture."""
    gap = outage(between(to_service(answers), cut - 1, answers[-1].at))
    if gap is None:
        raise HadebError("nobody answered")
    if [turn.who for turn in turns(answers)] != [victim, heir.name]:
        raise HadebError(f"not a clean failover: {turns(answers)}")
    start, end = cut - 2.5, gap.end + 2.5
    shown = between(to_service(answers), start, end)
    return Story(
        title=f"{victim} loses power, {heir.name} takes over, and never do two answer",
        subtitle=f"The service's address, asked 100 times a second from outside of three"
        f" {RELEASES[suite]} nodes with corosync's defaults.",
        nodes=[node.name for node in cluster.nodes],
        fault=Event(cut, victim, "power cut"),
        off=True,
        events=signs(heir, cut),
        turns=turns(shown, apart=TOGETHER),
        captions={answer.who: answer.text.strip() for answer in shown if answer.who},
        start=start,
        end=end,
    )


def signs(node: Node, since: float) -> list[Event]:
    """What the node's journal says about how it took over; its clock is the answers'."""
    events = []
    for line in node.journal("--output=json", "--boot").splitlines():
        entry = json.loads(line)
        at = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6
        for words, meaning in SIGNS:
            if at > since and words in str(entry.get("MESSAGE", "")):
                events.append(Event(at, node.name, meaning))
    return events


if __name__ == "__main__":
    chosen = sys.argv[3] if len(sys.argv) > 3 else "bookworm"
    main(Path(sys.argv[1]), Path(sys.argv[2]), next(suite for suite in SUITES if suite == chosen))
