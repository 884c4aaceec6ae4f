# SPDX-License-Identifier: Apache-2.0
"""The intervals and timeouts of a cluster's operations, and how long they took, in a CIB. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

# Pacemaker's own default, where neither the operation nor op_defaults has a timeout.
_TIMEOUT = 20.0
_DURATION = re.compile(r"(\d+)\s*([a-z]*)")
_UNITS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "ms": 0.001,
    "msec": 0.001,
    "us": 1e-6,
    "usec": 1e-6,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """An operation as it is configured; times in seconds, and no interval is 0.

    `on_fail` is what the cluster does if it fails, empty for the default.
    """

    resource: str
    action: str
    interval: float
    timeout: float
    on_fail: str = ""


@dataclass(frozen=True, slots=True)
class Slow:
    """A monitor that succeeded, and took most of its timeout or interval."""

    node: str
    seconds: float
    schedule: Schedule


def seconds(duration: str | None, default: float = 0.0) -> float:
    """A duration as Pacemaker reads it: 10, 10s, 500ms, 2min; the default if it is none."""
    match = _DURATION.fullmatch((duration or "").strip().lower())
    return int(match[1]) * _UNITS.get(match[2], 1.0) if match else default


def schedules(cib: str) -> tuple[Schedule, ...]:
    """What the CIB says of each operation of a primitive."""
    return tuple(_schedules(ET.fromstring(cib)))


def _schedules(root: ET.Element) -> Iterator[Schedule]:
    default = _TIMEOUT
    for pair in root.iterfind(".//op_defaults//nvpair[@name='timeout']"):
        default = seconds(pair.get("value"), default)
    for primitive in root.iterfind(".//resources//primitive"):
        for operation in primitive.iterfind("operations/op"):
            yield Schedule(
                resource=primitive.get("id", ""),
                action=operation.get("name", ""),
                interval=seconds(operation.get("interval")),
                timeout=seconds(operation.get("timeout"), default),
                on_fail=operation.get("on-fail", ""),
            )


def slow_monitors(cib: str) -> list[Slow]:
    """The recurring monitors that succeeded, and took more than half their timeout or interval."""
    root = ET.fromstring(cib)
    known = {
        (each.resource, round(each.interval, 3)): each
        for each in _schedules(root)
        if each.action == "monitor" and each.interval
    }
    slow = []
    for node in root.iterfind("status/node_state"):
        for history in node.iter("lrm_resource"):
            resource = history.get("id", "").partition(":")[0]
            for operation in history.iter("lrm_rsc_op"):
                interval = int(operation.get("interval", "0")) / 1000
                schedule = known.get((resource, round(interval, 3)))
                took = int(operation.get("exec-time", "0")) / 1000
                # A promoted instance's monitor returns 8.
                if (
                    schedule
                    and operation.get("rc-code") in {"0", "8"}
                    and took > min(schedule.timeout, schedule.interval) / 2
                ):
                    slow.append(Slow(node.get("uname", ""), took, schedule))
    return sorted(slow, key=lambda each: (each.schedule.resource, each.node))
