# SPDX-License-Identifier: Apache-2.0
"""What an outage was made of: which wait took longest, and what sets its length. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.lab.client.answers import to_service
from hadeb.lab.client.outage import Gap, outage
from hadeb.lab.verdict.events import BEGUN, REPORTED, Operation
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import failed

# A shorter outage needs no explanation.
_WORTH_TELLING = 1.0
_CHANGES = {"start", "stop", "promote", "demote"}


@dataclass(frozen=True, slots=True)
class _Wait:
    """A part of an outage, with the sentence that says what sets it."""

    start: float
    end: float
    what: str

    @property
    def seconds(self) -> float:
        return self.end - self.start


def cause(evidence: Evidence) -> str:
    """What most of the outage was spent on; empty if it was short or nothing explains it."""
    gap = _gap(evidence)
    if not gap or gap.seconds < _WORTH_TELLING:
        return ""
    longest = max(_waits(evidence, gap), key=lambda wait: wait.seconds, default=None)
    if not longest or longest.seconds < max(_WORTH_TELLING, gap.seconds / 4):
        return ""
    part = min(longest.seconds, gap.seconds)
    return f"{part:.1f} s of the {gap.seconds:.1f} s without an answer: {longest.what}"


def _gap(evidence: Evidence) -> Gap | None:
    answers = to_service(evidence.answers)
    if evidence.returned and evidence.after:
        return outage(answers, evidence.stalls)
    good = [answer.at for answer in answers if answer.who]
    last = max((answer.at for answer in answers), default=0.0)
    return Gap(max(good, default=0.0), last, evidence.before, "")


def _waits(evidence: Evidence, gap: Gap) -> Iterator[_Wait]:
    actions = list(_actions(evidence, gap))
    yield from actions
    begun = max(gap.start, 0.0)
    fenced = next((each for each in evidence.fencings if begun < each.at < gap.end), None)
    signs = [wait.start for wait in actions]
    noticed = _noticed(evidence, gap)
    if noticed and noticed.at <= min(signs, default=gap.end):
        yield _Wait(begun, noticed.at, _how_noticed(evidence, noticed))
    elif fenced and fenced.at <= min(signs, default=gap.end):
        yield _Wait(
            begun,
            fenced.at,
            f"until the cluster missed {fenced.node} and had it fenced. corosync's token sets it: "
            "[cluster] totem, and the fence device's own time",
        )
    yield from _recoveries(evidence, actions, gap)
    if actions and (end := max(wait.end for wait in actions)) < gap.end:
        yield _Wait(
            end,
            gap.end,
            "from the last start until the service answered: start has to wait for the daemon",
        )


def _actions(evidence: Evidence, gap: Gap) -> Iterator[_Wait]:
    """Each start, stop, promote and demote in the gap, from its request to its result."""
    ends = sorted(evidence.operations, key=lambda operation: operation.at)
    for begun in ends:
        if begun.result != BEGUN or begun.action not in _CHANGES or begun.at >= gap.end:
            continue
        # The lab's own fence device is not the bundle's.
        if evidence.agents and begun.resource not in evidence.agents:
            continue
        what = (begun.action, begun.resource, begun.node)
        end = next(
            (
                other
                for other in ends
                if other.result != BEGUN
                and other.at >= begun.at
                and (other.action, other.resource, other.node) == what
            ),
            None,
        )
        until = min(end.at if end else gap.end, gap.end)
        if until > gap.start:
            yield _Wait(max(begun.at, gap.start), until, _took(evidence, begun, end))


def _recoveries(evidence: Evidence, actions: list[_Wait], gap: Gap) -> Iterator[_Wait]:
    """The time from an action that failed until the cluster had fenced its node and went on."""
    for failure in evidence.operations:
        fenced = [each for each in evidence.fencings if each.node == failure.node]
        if failure.action not in _CHANGES or not failed(failure) or not fenced:
            continue
        after = min((wait.start for wait in actions if wait.start > failure.at), default=gap.end)
        if gap.start <= failure.at < after:
            yield _Wait(
                failure.at,
                after,
                f"until the cluster had fenced {failure.node} and recovered, since "
                f"{failure.action} of {failure.resource} had failed there",
            )


def _took(evidence: Evidence, begun: Operation, end: Operation | None) -> str:
    schedule = evidence.schedule(begun.resource, begun.action)
    limit = f", whose timeout is {schedule.timeout:g} s" if schedule else ""
    agent = evidence.agent(begun.resource)
    how = "had not ended" if not end else "took so long"
    return (
        f"the {begun.action} of {begun.resource} on {begun.node}{limit}, {how}. "
        f"The {begun.action} of {agent} sets it"
    )


def _noticed(evidence: Evidence, gap: Gap) -> Operation | None:
    """The first failure that the cluster saw in the gap."""
    seen = [
        operation
        for operation in evidence.operations
        if failed(operation)
        and operation.action in {"monitor", REPORTED}
        and max(gap.start, 0.0) <= operation.at < gap.end
    ]
    return min(seen, key=lambda operation: operation.at, default=None)


def _how_noticed(evidence: Evidence, noticed: Operation) -> str:
    resource = noticed.resource
    if noticed.action == REPORTED:
        return (
            f"until the crash hook reported that the daemon of {resource} had ended. If it hung, "
            "the watchdog sets it: [service] in the manifest"
        )
    schedule = evidence.schedule(resource, "monitor")
    every = f", which runs every {schedule.interval:g} s," if schedule else ""
    if noticed.result.lower().startswith("timed out"):
        limit = f" of {schedule.timeout:g} s" if schedule else ""
        return (
            f"until the monitor of {resource}{every} ran into its timeout{limit}. Both set it: let "
            "the monitor give up sooner by itself, or shorten them in operations"
        )
    return (
        f"until the monitor of {resource}{every} failed. Its interval sets it: shorten it in "
        "operations, or report crashes with a hook ([service] in the manifest)"
    )
