# SPDX-License-Identifier: Apache-2.0
"""What a trial shows: from answers and logs to the sentences of the report. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from hadeb.lab.client.answers import (
    TOGETHER,
    UNNAMED,
    Answer,
    overlaps,
    to_service,
    turns,
    unanswered,
)
from hadeb.lab.client.outage import outage
from hadeb.lab.verdict.data import data_shortfalls
from hadeb.lab.verdict.events import BEGUN
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import cluster_shortfalls

# How many seconds after a successful start the service has to answer.
_AFTER_START = 0.5
_LONGEST_QUOTE = 60
# Actions that the cluster waits for, and after how many seconds the report says so.
_BLOCKING = {"start", "stop", "promote", "demote"}
_LONG = 5.0


def outage_of(evidence: Evidence) -> float | None:
    """The longest time without an answer, None if the service did not come back."""
    gap = outage(to_service(evidence.answers), evidence.stalls)
    return gap.seconds if gap and evidence.returned and evidence.after else None


def shortfalls(evidence: Evidence) -> tuple[str, ...]:
    """What fell short, a sentence each; empty if everything is as it should be."""
    return tuple(_shortfalls(evidence))


def _shortfalls(evidence: Evidence) -> Iterator[str]:
    if evidence.complaint:
        yield evidence.complaint
    yield from _return(evidence)
    yield from _overlap(evidence)
    yield from _early_stop(evidence)
    yield from _wrong_answers(evidence)
    yield from _early_start(evidence)
    yield from data_shortfalls(evidence.data)
    yield from cluster_shortfalls(evidence)
    for name in evidence.blocked:
        yield f"the cluster has given up on {name}: it is blocked, as after a failed stop"
    for name in evidence.orphans:
        yield f"{name} is an orphan: it still runs, and the configuration does not have it"
    seconds = outage_of(evidence)
    if evidence.budget is not None and seconds is not None and seconds > evidence.budget:
        yield f"no answer for {seconds:.3f} s, where max-outage allows {evidence.budget:.3f} s"


def _return(evidence: Evidence) -> Iterator[str]:
    fault, service = evidence.fault, evidence.service
    if not evidence.returned:
        yield f"no answer as expected within {fault.deadline:.0f} s"
        if evidence.believed and not evidence.after:
            yield (
                f"the cluster believes that {service} runs on {evidence.believed}, where nothing "
                "answers: its monitor does not check the service itself"
            )
        yield from _unended(evidence)
        return
    if not evidence.after:
        # If the fault itself went wrong, the complaint says so.
        if not evidence.complaint:
            yield "the service answered, and then stopped answering"
        return
    if fault.expected == "moves" and evidence.after == evidence.before:
        yield f"{evidence.before} still serves, where another node should have taken over"
    if fault.expected == "unfelt":
        lost = unanswered(to_service(evidence.answers))
        if lost:
            yield f"{len(lost)} connections got no answer ({lost[0].error}); none should be lost"
        if evidence.after != evidence.before:
            yield f"the service moved from {evidence.before} to {evidence.after}"


def _unended(evidence: Evidence) -> Iterator[str]:
    """What the cluster still waited for: an agent's action that did not end."""
    now = max((answer.at for answer in evidence.answers), default=0.0)
    for begun in evidence.operations:
        if begun.result != BEGUN or begun.action not in _BLOCKING or now - begun.at < _LONG:
            continue
        what = (begun.action, begun.resource, begun.node)
        ends = [
            operation.at
            for operation in evidence.operations
            if operation.result != BEGUN
            and (operation.action, operation.resource, operation.node) == what
        ]
        if not any(begun.at <= end <= now for end in ends):
            yield (
                f"{begun.action} of {begun.resource} on {begun.node} had begun "
                f"{now - begun.at:.0f} s earlier and has not ended: the cluster waits for it"
            )


def _overlap(evidence: Evidence) -> Iterator[str]:
    both = overlaps(turns(evidence.answers, apart=TOGETHER))
    if not both or _answers_everywhere(evidence):
        return
    nodes = both[0].nodes
    seconds = sum(overlap.end - overlap.start for overlap in both)
    yield f"{' and '.join(nodes)} answered at the same time, for {seconds:.2f} s"


def _answers_everywhere(evidence: Evidence) -> bool:
    """Whether every copy may answer: a clone's may, and those of some promotable clones."""
    if evidence.copies == "promotable":
        before = [answer for answer in evidence.answers if answer.at < 0]
        return bool(overlaps(turns(before, apart=TOGETHER)))
    return evidence.copies == "clone"


def _early_stop(evidence: Evidence) -> Iterator[str]:
    """A stop after which the daemon still answered. Only the node's own address shows that."""
    own = [operation for operation in evidence.operations if operation.resource == evidence.service]
    for stop in own:
        if stop.action != "stop" or not stop.succeeded:
            continue
        # A service that was started again may answer.
        again = min(
            (
                start.at
                for start in own
                if (start.action, start.result) == ("start", BEGUN)
                and start.node == stop.node
                and start.at > stop.at
            ),
            default=float("inf"),
        )
        late = [
            answer.at
            for answer in evidence.answers
            if answer.who == stop.node and stop.at < answer.asked and answer.at < again
        ]
        if late:
            yield (
                f"the agent's stop reported success on {stop.node} "
                f"{max(late) - stop.at:.2f} s before the last answer from there: "
                "it returns before the daemon has ended"
            )


def _wrong_answers(evidence: Evidence) -> Iterator[str]:
    # A replica that is asked directly may answer that it is only a replica.
    replicas = evidence.copies == "promotable"
    asked = to_service(evidence.answers) if replicas else evidence.answers
    wrong = [answer for answer in asked if answer.error is None and answer.who is None]
    if wrong:
        text = wrong[0].text.strip()[:_LONGEST_QUOTE]
        yield f"{len(wrong)} answers are not as expected, the first of them: {text!r}"


def _early_start(evidence: Evidence) -> Iterator[str]:
    """A start that succeeded long before the service answered, with everything else started."""
    if not evidence.returned or not evidence.after:
        return
    last = max(answer.at for answer in evidence.answers)
    done = [
        operation
        for operation in evidence.operations
        if operation.node == evidence.after and operation.succeeded and operation.at <= last
    ]
    started = [operation.at for operation in done if operation.action in {"start", "promote"}]
    own = [
        operation.at
        for operation in done
        if (operation.action, operation.resource) == ("start", evidence.service)
    ]
    if not own:
        return
    ready = max(started)
    answered = [
        answer.at
        for answer in to_service(evidence.answers)
        if answer.who == evidence.after and answer.asked >= own[-1]
    ]
    if answered and min(answered) - ready > _AFTER_START:
        yield (
            f"the agent's start reported success on {evidence.after} "
            f"{min(answered) - ready:.2f} s before the service answered: "
            f"{_too_early(evidence.unit_type)}"
        )


def _too_early(unit_type: str) -> str:
    if unit_type == "notify":
        return "the daemon reports readiness before it listens, or start does not wait for that"
    if unit_type in {"simple", "exec"}:
        return f"it returns too early, since a unit of type {unit_type} does not report readiness"
    return "it returns too early, or the daemon reports readiness before it listens"


def named(answers: Sequence[Answer], before: str, after: str) -> list[Answer]:
    """Name the node of answers that do not: the one that served `before` the gap, or `after` it."""
    gap = outage(to_service(answers))
    moment = gap.end if gap and before != after else float("inf")
    return [
        dataclasses.replace(answer, who=before if answer.at < moment else after)
        if answer.who == UNNAMED
        else answer
        for answer in answers
    ]
