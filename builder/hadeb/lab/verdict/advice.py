# SPDX-License-Identifier: Apache-2.0
"""What to change in a bundle, so that what failed does not fail again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hadeb.lab.verdict.events import REPORTED, Operation
from hadeb.lab.verdict.evidence import Evidence
from hadeb.lab.verdict.failures import unexplained
from hadeb.pacemaker.operations import Schedule, Slow

_TIMED_OUT = {
    "start": (
        "start has to return: wait until the daemon answers, and fail as soon as its process has "
        "ended. If it only needs longer, raise the timeout of start"
    ),
    "stop": (
        "stop has to end what it stops before its timeout: send SIGKILL to what ignores SIGTERM "
        "after half of it (TimeoutStopSec of the unit, a loop with a limit in the agent). If the "
        "daemon only needs longer, raise the timeout of stop"
    ),
    "monitor": (
        "monitor has to give up before its timeout, and say why: put a limit on each question to "
        "the daemon, such as `timeout 5`. If it only needs longer, raise the timeout of monitor"
    ),
    "promote": "promote has to return: put a limit on each wait, or raise the timeout of promote",
    "demote": "demote has to return: put a limit on each wait, or raise the timeout of demote",
    "probe": (
        "monitor, which is also the probe, has to return at once where nothing runs: look for the "
        "process before anything else"
    ),
}
_FAILED = {
    "start": (
        "start failed, and its reason is in the agent's and the daemon's last words: let start "
        "tell it with ocf_exit_reason"
    ),
    "stop": (
        "stop of what does not run, or has died, has to succeed: return 0 whenever the daemon is "
        "gone, since a failed stop gets the node fenced"
    ),
    "monitor": (
        "the daemon ended or did not answer: its last words say why. If it was well, monitor asks "
        "for too much"
    ),
    REPORTED: "the daemon ended although nobody stopped it: its last words say why",
    "promote": "promote failed, and its reason is in the agent's and the daemon's last words",
    "demote": (
        "demote of what does not run has to return 7 (OCF_NOT_RUNNING), and of what is demoted 0"
    ),
    "probe": (
        "a probe asks whether the resource runs on a node where it need not: monitor has to return "
        "7 (OCF_NOT_RUNNING) there, even without configuration, data or other services"
    ),
}


def remedies(evidence: Evidence, *, silent: bool = False) -> tuple[str, ...]:
    """What to change, a sentence for each kind of failure, in the order of the failures.

    `silent` is whether neither agent nor daemon logged anything before they failed.
    """
    failures = unexplained(evidence)
    advice = list(_remedies(evidence, failures))
    if silent and failures:
        advice.append(
            f"{evidence.agent(failures[0].resource)}: it failed without a word, and its daemon "
            "logged nothing: call ocf_exit_reason with the reason before you return an error"
        )
    return tuple(dict.fromkeys(advice))


def _remedies(evidence: Evidence, failures: Sequence[Operation]) -> Iterator[str]:
    for failure in failures:
        timed_out = failure.result.lower().startswith("timed out")
        advice = (_TIMED_OUT if timed_out else _FAILED).get(failure.action)
        if advice:
            yield f"{evidence.agent(failure.resource)}: {advice}{_now(evidence, failure)}"


def _now(evidence: Evidence, failure: Operation) -> str:
    schedule = evidence.schedule(failure.resource, _configured(failure.action))
    if not schedule or not failure.result.lower().startswith("timed out"):
        return ""
    return f" (it is {schedule.timeout:g} s)"


def _configured(action: str) -> str:
    return "monitor" if action == "probe" else action


def slow_sentence(slow: Slow) -> str:
    """The shortfall of a monitor that takes most of its timeout or interval."""
    schedule = slow.schedule
    return (
        f"monitor of {schedule.resource} took {slow.seconds:.1f} s on {slow.node}, of "
        f"{_limits(schedule)}: a busy node makes it fail, and a failure is noticed late"
    )


def _limits(schedule: Schedule) -> str:
    return f"a timeout of {schedule.timeout:g} s and an interval of {schedule.interval:g} s"


def slow_remedy(slow: Slow, agent: str) -> str:
    """What to do about it."""
    return (
        f"{agent}: monitor has to answer in a fraction of its timeout: ask less, put a limit on "
        f"each question, or raise both in the operations of {slow.schedule.resource}"
    )
