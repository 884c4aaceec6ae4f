# SPDX-License-Identifier: Apache-2.0
"""What a trial has shown: from what was heard and logged to the words of the report. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hadeb.lab.client.answers import (
    SERVICE,
    SOMEBODY,
    TOGETHER,
    Answer,
    at_once,
    outage,
    to_service,
    turns,
    unanswered,
)
from hadeb.lab.fault.catalogue import Fault
from hadeb.lab.verdict.events import BEGUN, Operation

# A start that says it is done has to be followed by an answer within so many seconds.
_AFTER_START = 0.5
_LONGEST_QUOTE = 60
# What the cluster waits for before it does more, and after how many seconds it is worth a word.
_BLOCKING = {"start", "stop", "promote", "demote"}
_LONG = 5.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a trial brought to light. Times are seconds from the fault's moment.

    `answers` end where the cluster had come to rest; `operations` have the same clock. `believed`
    is the node that the cluster says it runs the service on; a clone runs on several and answers on
    all of them, a promotable one need not. `unit_type` is the Type of the daemon's systemd unit,
    empty without one. `complaint` is what went wrong with the fault itself.
    """

    fault: Fault
    service: str
    before: str
    after: str
    believed: str
    returned: bool
    answers: Sequence[Answer]
    operations: Sequence[Operation]
    blocked: Sequence[str]
    budget: float | None
    copies: Literal["one", "clone", "promotable"]
    unit_type: str = ""
    complaint: str = ""


def outage_of(evidence: Evidence) -> float | None:
    """The longest time without an answer, None where the service did not come back."""
    gap = outage(to_service(evidence.answers))
    return gap.seconds if gap and evidence.returned and evidence.after else None


def shortfalls(evidence: Evidence) -> tuple[str, ...]:
    """What fell short, a sentence each; nothing where all is as it should be."""
    return tuple(_shortfalls(evidence))


def _shortfalls(evidence: Evidence) -> Iterator[str]:
    if evidence.complaint:
        yield evidence.complaint
    yield from _return(evidence)
    yield from _two_at_once(evidence)
    yield from _early_stop(evidence)
    yield from _wrong_answers(evidence)
    yield from _early_start(evidence)
    for name in evidence.blocked:
        yield f"the cluster has given {name} up: it is blocked, as after a stop that failed"
    seconds = outage_of(evidence)
    if evidence.budget is not None and seconds is not None and seconds > evidence.budget:
        yield f"no answer for {seconds:.3f} s, where max-outage allows {evidence.budget:.3f} s"


def _return(evidence: Evidence) -> Iterator[str]:
    fault, service = evidence.fault, evidence.service
    if not evidence.returned:
        yield f"nobody answered as expected within {fault.deadline:.0f} s"
        if evidence.believed and not evidence.after:
            yield (
                f"the cluster believes that {service} runs on {evidence.believed}, where nobody "
                "answers: its monitor does not look at the service itself"
            )
        yield from _unended(evidence)
        return
    if not evidence.after:
        # Where the fault itself went wrong, that is said already.
        if not evidence.complaint:
            yield "the service answered, and then no more"
        return
    if fault.expected == "moves" and evidence.after == evidence.before:
        yield f"{evidence.before} still serves, where another node was to take over"
    if fault.expected == "unfelt":
        lost = unanswered(to_service(evidence.answers))
        if lost:
            yield f"{len(lost)} connections got no answer ({lost[0].error}), where none was to"
        if evidence.after != evidence.before:
            yield f"the service moved from {evidence.before} to {evidence.after}"


def _unended(evidence: Evidence) -> Iterator[str]:
    """What the cluster still waited for: an action of an agent that goes on and on."""
    now = max((one.at for one in evidence.answers), default=0.0)
    for begun in evidence.operations:
        if begun.result != BEGUN or begun.action not in _BLOCKING or now - begun.at < _LONG:
            continue
        what = (begun.action, begun.resource, begun.node)
        ends = [
            one.at
            for one in evidence.operations
            if one.result != BEGUN and (one.action, one.resource, one.node) == what
        ]
        if not any(begun.at <= end <= now for end in ends):
            yield (
                f"{begun.action} of {begun.resource} on {begun.node} had begun "
                f"{now - begun.at:.0f} s earlier and was not done: the cluster waits for it"
            )


def _two_at_once(evidence: Evidence) -> Iterator[str]:
    both = at_once(turns(evidence.answers, apart=TOGETHER))
    if not both or _answers_everywhere(evidence):
        return
    nodes = both[0].nodes
    seconds = sum(one.end - one.start for one in both)
    yield f"{' and '.join(nodes)} answered at once, for {seconds:.2f} s"


def _answers_everywhere(evidence: Evidence) -> bool:
    """Whether copies answer alike, and rightly: a clone's do, and those of some promotable ones."""
    if evidence.copies == "promotable":
        calm = [one for one in evidence.answers if one.at < 0]
        return bool(at_once(turns(calm, apart=TOGETHER)))
    return evidence.copies == "clone"


def _early_stop(evidence: Evidence) -> Iterator[str]:
    """A stop after which the daemon still took connections. Only a node's own address tells."""
    own = [one for one in evidence.operations if one.resource == evidence.service]
    for stop in own:
        if stop.action != "stop" or not stop.succeeded:
            continue
        # What is started again has every right to answer.
        again = min(
            (
                one.at
                for one in own
                if (one.action, one.result) == ("start", BEGUN)
                and one.node == stop.node
                and one.at > stop.at
            ),
            default=float("inf"),
        )
        late = [
            one.at
            for one in evidence.answers
            if one.who == stop.node and stop.at < one.asked and one.at < again
        ]
        if late:
            yield (
                f"the agent's stop said on {stop.node} that it was done "
                f"{max(late) - stop.at:.2f} s before the last answer from there: "
                "it returns before the daemon has ended"
            )


def _wrong_answers(evidence: Evidence) -> Iterator[str]:
    # A replica, asked directly, may say that it is none to ask.
    replicas = evidence.copies == "promotable"
    asked = to_service(evidence.answers) if replicas else evidence.answers
    wrong = [one for one in asked if one.error is None and one.who is None]
    if wrong:
        text = wrong[0].text.strip()[:_LONGEST_QUOTE]
        yield f"{len(wrong)} answers are not what is expected, the first of them: {text!r}"


def _early_start(evidence: Evidence) -> Iterator[str]:
    """A start that was done long before its service answered, with everything else started too."""
    if not evidence.returned or not evidence.after:
        return
    last = max(one.at for one in evidence.answers)
    done = [
        one
        for one in evidence.operations
        if one.node == evidence.after and one.succeeded and one.at <= last
    ]
    started = [one.at for one in done if one.action in {"start", "promote"}]
    own = [one.at for one in done if (one.action, one.resource) == ("start", evidence.service)]
    if not own:
        return
    ready = max(started)
    answered = [
        one.at
        for one in to_service(evidence.answers)
        if one.who == evidence.after and one.asked >= own[-1]
    ]
    if answered and min(answered) - ready > _AFTER_START:
        yield (
            f"the agent's start said on {evidence.after} that it was done "
            f"{min(answered) - ready:.2f} s before the service answered: "
            f"{_too_early(evidence.unit_type)}"
        )


def _too_early(unit_type: str) -> str:
    if unit_type == "notify":
        return "the daemon says that it is ready before it listens, or start does not wait for that"
    if unit_type in {"simple", "exec"}:
        return f"it returns too early, since its unit of type {unit_type} gives no sign"
    return "it returns too early, or the daemon says that it is ready before it listens"


def named(answers: Sequence[Answer], before: str, after: str) -> list[Answer]:
    """Give right answers that name nobody to who served then, `before` the gap or `after`."""
    gap = outage(to_service(answers))
    moment = gap.end if gap and before != after else float("inf")
    return [
        dataclasses.replace(one, who=before if one.at < moment else after)
        if one.who == SOMEBODY
        else one
        for one in answers
    ]


def spoken(answers: Sequence[Answer], *, service: bool) -> tuple[Answer, ...]:
    """The answers through the service's address, or those that were asked of the nodes directly."""
    return tuple(one for one in answers if (one.target == SERVICE) == service)
