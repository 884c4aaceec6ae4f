# SPDX-License-Identifier: Apache-2.0
"""What failed or was fenced although the fault does not explain it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hadeb.lab.verdict.events import BEGUN, REPORTED, Count, Fencing, Operation
from hadeb.lab.verdict.evidence import Evidence

# Results that are no agent's: the action was given up with its node, or with Pacemaker itself.
_NOT_THE_AGENTS = ("cancelled", "no executor connection", "internal communication failure")
_MAY_FIND_NOTHING = {"probe", "stop", "demote"}
# A reason of Pacemaker's that repeats the result.
_REPEATS = "(Resource agent did not complete"
# A failed action and the fencing for it are at most this many seconds apart.
_FENCED_FOR = 30.0


def failed(operation: Operation) -> bool:
    """Whether an agent failed in this operation."""
    result = operation.result.lower()
    if operation.result == BEGUN or operation.succeeded or result.startswith(_NOT_THE_AGENTS):
        return False
    # Demote finds the daemon gone that a monitor has reported.
    return not (operation.action in _MAY_FIND_NOTHING and result.startswith("not running"))


def unexplained(evidence: Evidence) -> list[Operation]:
    """The operations that failed although the fault does not bring that about, in order."""
    return sorted(
        (
            operation
            for operation in evidence.operations
            if failed(operation)
            and not _explained(evidence, operation.action, operation.resource, operation.node)
        ),
        key=lambda operation: operation.at,
    )


def _explained(evidence: Evidence, action: str, resource: str, node: str) -> bool:
    effects = evidence.fault.effects
    return (
        node == evidence.before
        and ("monitor" if action == REPORTED else action) in effects.fails
        and (effects.of == "all" or resource == evidence.service)
    )


def cluster_shortfalls(evidence: Evidence) -> Iterator[str]:
    """A sentence for each failed action, each fencing and each fail count that nothing explains."""
    failures = unexplained(evidence)
    reported: set[tuple[str, str, str, str]] = set()
    fenced = _unexplained_fencings(evidence)
    for failure in failures:
        what = (failure.action, failure.resource, failure.node, failure.result)
        if what in reported:
            continue
        reported.add(what)
        times = sum(
            (other.action, other.resource, other.node, other.result) == what for other in failures
        )
        fencing = next((each for each in fenced if _fenced_for(failure, each)), None)
        yield _sentence(evidence, failure, times, fencing)
    for fencing in fenced:
        if not any(_fenced_for(failure, fencing) for failure in failures):
            why = f": {fencing.why}" if fencing.why else ""
            yield f"{fencing.node} was fenced, which the fault does not explain{why}"
    yield from _counts(evidence, failures)


def _sentence(evidence: Evidence, failure: Operation, times: int, fencing: Fencing | None) -> str:
    often = f" {times} times" if times > 1 else ""
    late = (
        ", after the fault was over and while the lab restored the cluster"
        if failure.at > evidence.ended
        else ""
    )
    end = ", and the node was fenced" if fencing else ""
    if failure.action == REPORTED:
        return (
            f"the daemon of {failure.resource} ended by itself on {failure.node}{often}, as its "
            f"crash hook reported{late}{end}"
        )
    return (
        f"{failure.action} of {failure.resource} failed{often} on {failure.node} "
        f"({result_of(failure)}){late}{end}"
    )


def result_of(failure: Operation) -> str:
    """The result of a failed operation, with the agent's reason if it gave one."""
    result = failure.result.partition(_REPEATS)[0].strip()
    status, _, reason = result.partition(" (")
    return f"{status}: {reason.removesuffix(')')}" if reason else status


def _fenced_for(failure: Operation, fencing: Fencing) -> bool:
    return failure.node == fencing.node and 0 <= fencing.at - failure.at < _FENCED_FOR


def _unexplained_fencings(evidence: Evidence) -> list[Fencing]:
    by_design = may_be_fenced(evidence)
    return [fencing for fencing in evidence.fencings if fencing.node not in by_design]


def may_be_fenced(evidence: Evidence) -> frozenset[str]:
    """The nodes that the cluster may fence for what the lab did."""
    fences = evidence.fault.effects.fences
    if fences == "none":
        return frozenset(_fenced_as_configured(evidence))
    if fences == "any" or len(evidence.nodes) == 2:
        return frozenset(evidence.nodes)
    return frozenset({evidence.coordinator if fences == "coordinator" else evidence.before})


def _fenced_as_configured(evidence: Evidence) -> Iterator[str]:
    """The nodes on which an action failed by the fault, and on-fail has the node fenced for it."""
    for operation in evidence.operations:
        action = "monitor" if operation.action == REPORTED else operation.action
        fence = any(
            (each.resource, each.action, each.on_fail) == (operation.resource, action, "fence")
            for each in evidence.schedules
        )
        what = (action, operation.resource, operation.node)
        if fence and failed(operation) and _explained(evidence, *what):
            yield operation.node


def _counts(evidence: Evidence, failures: list[Operation]) -> Iterator[str]:
    named = {(failure.resource, failure.node) for failure in failures}
    most = evidence.fault.effects.counts
    last: dict[tuple[str, str, str], Count] = {}
    for count in sorted(evidence.counts, key=lambda count: count.at):
        if count.at <= evidence.ended:
            last[count.resource, count.action, count.node] = count
    for (resource, action, node), count in last.items():
        if not count.count or (resource, node) in named:
            continue
        if not _explained(evidence, action, resource, node):
            yield f"the fail count of {resource} on {node} is {count.count}, for its {action}"
        elif most and count.count > most:
            yield (
                f"the cluster counted {count.count} failures of {resource} on {node}, where the "
                f"fault brings {most}: it failed again after it had been restarted"
            )
