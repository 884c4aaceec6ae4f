# SPDX-License-Identifier: Apache-2.0
"""Re-executes systemd while Pacemaker starts, stops, reloads, probes and moves the sample.

    make lab-reexecs                 200 times on each release
    make lab-reexecs TIMES=20        as often as you like

An upgrade of systemd or libc does this to a node. The moments come from a seed, which is printed:
`lab_reexecs.py --seed SEED TIMES` has the same ones again. Wants root. Ends with 1 if an operation
failed or a node was fenced.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from hadeb.debian.releases import SUITES, Suite  # noqa: E402
from hadeb.errors import HadebError  # noqa: E402
from hadeb.lab.cluster.cluster import Cluster  # noqa: E402
from hadeb.run import run  # noqa: E402

RESOURCE = "TCP-SERVER"
# What Pacemaker has the agent do, in this order; `command` brings each about.
ACTIONS = ("stop", "start", "reload", "monitor", "standby")
# Seconds: systemd re-executes itself at some moment of them, and the action begins halfway.
SPREAD = 1.2
CREATE = (
    "resource create VIP ocf:heartbeat:IPaddr2 ip=172.16.0.50 cidr_netmask=24",
    f"resource create {RESOURCE} ocf:kamaboko:sample-tcp-server greet=Hi!",
    f"constraint colocation add {RESOURCE} with VIP INFINITY",
    "property set stonith-enabled=true",
)


@dataclass
class Count:
    """What happened to the operations and the nodes of a cluster."""

    actions: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    fenced: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        actions = ", ".join(f"{name} {number}" for name, number in self.actions.items())
        totals = f"{len(self.failed)} failed operations, {len(self.fenced)} fencings"
        return f"{self.actions.total()} rounds ({actions}): {totals}"


def command(action: str, number: int, serving: str) -> str:
    """The shell command that makes Pacemaker call an action of the agent."""
    role = f"crm_resource --resource {RESOURCE} --meta --set-parameter target-role"
    return {
        "stop": f"{role} --parameter-value Stopped",
        "start": f"{role} --parameter-value Started",
        "reload": f"crm_resource --resource {RESOURCE} --set-parameter greet"
        f" --parameter-value 'Hi {number}!'",
        "monitor": f"crm_resource --refresh --resource {RESOURCE}",
        "standby": f"crm_attribute --type nodes --node {serving} --name standby --update on",
    }[action]


def a_round(cluster: Cluster, action: str, number: int, chance: random.Random) -> None:
    """Do one action, with one daemon-reexec on each node at some moment around it."""
    serving = cluster.where(RESOURCE) or "ha1"
    with ThreadPoolExecutor(len(cluster.nodes)) as pool:
        for node in cluster.nodes:
            reexec = f"sleep {chance.uniform(0, SPREAD):.3f}; systemctl daemon-reexec"
            pool.submit(node.sh, reexec, check=False)
        time.sleep(SPREAD / 2)
        cluster.any.sh(command(action, number, serving))
    cluster.settle()
    if action == "standby":
        cluster.any.sh(f"crm_attribute --type nodes --node {serving} --name standby --delete")
        cluster.settle()


def look(cluster: Cluster, count: Count, what: str) -> None:
    """Add what went wrong in a round to the count, and mend it for the next one."""
    failures = [f"{what}: {failure}" for failure in cluster.status().failures]
    off = [node for node in cluster.nodes if not node.is_on]
    count.failed += failures
    count.fenced += [f"{what}: {node.name}" for node in off]
    for node in off:
        node.boot()
    if off:
        cluster.wait_online()
    if failures or off:
        cluster.any.exec("crm_resource", "--cleanup", check=False)
        cluster.settle()


def try_suite(
    suite: Suite,
    deb: Path,
    times: int,
    chance: random.Random,
    say: Callable[[str], None] = lambda line: print(line, flush=True),
) -> Count:
    """Do the given number of rounds on three nodes with fencing."""
    count = Count()
    with Cluster(suite, fencing=True) as cluster:
        for node in cluster.nodes:
            node.push(deb, "/root/sample.deb")
            node.exec("dpkg", "--install", "/root/sample.deb")
        for line in CREATE:
            cluster.pcs(line)
        cluster.settle(timeout=90)
        for number in range(times):
            action = ACTIONS[number % len(ACTIONS)]
            what = f"{suite} {number} {action}"
            before = len(count.failed), len(count.fenced)
            try:
                a_round(cluster, action, number, chance)
                if (cluster.where(RESOURCE) is None) != (action == "stop"):
                    count.failed.append(f"{what}: {RESOURCE} is on {cluster.where(RESOURCE)}")
            except HadebError as error:
                count.failed.append(f"{what}: {error}")
            count.actions[action] += 1
            look(cluster, count, what)
            for line in (*count.failed[before[0] :], *count.fenced[before[1] :]):
                say(line)
            if (number + 1) % 50 == 0:
                say(f"{suite}: {count}")
    return count


def main() -> int:
    """Do the rounds on each release; 1 if any operation failed or any node was fenced."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("times", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbits(16))
    parser.add_argument("--suite", choices=SUITES, action="append", help="only this release")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    worst = 0
    with tempfile.TemporaryDirectory() as work:
        build = [sys.executable, "-m", "hadeb", "build", "--output", work]
        deb = Path(run(build, cwd=ROOT).stdout.strip())
        for suite in options.suite or SUITES:
            chance = random.Random(f"{options.seed} {suite}")
            count = try_suite(suite, deb, options.times, chance)
            print(f"{suite}, in all: {count}", flush=True)
            worst = max(worst, bool(count.failed or count.fenced))
    return worst


if __name__ == "__main__":
    sys.exit(main())
