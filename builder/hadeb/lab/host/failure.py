# SPDX-License-Identifier: Apache-2.0
"""Why this machine cannot hold a lab, and what to do about it. Pure."""

from __future__ import annotations

from hadeb.errors import HadebError
from hadeb.reason import after_colon, reason

_CONTAINER = (
    "run hadeb on a machine or in a virtual machine, or start the container with --privileged: a "
    "lab needs CAP_SYS_ADMIN and CAP_NET_ADMIN"
)
# What namespaces.sh calls its steps, each with a sentence and a remedy.
_STEPS = {
    "": ("this machine does not let hadeb make namespaces for a lab", _CONTAINER),
    "cgroups": (
        "this machine does not let hadeb mount cgroup v2, which the nodes' systemd needs",
        "the kernel needs cgroup v2 (grep cgroup2 /proc/filesystems); in a container, start it "
        "with --privileged",
    ),
    "group": (
        "this machine does not let hadeb make a control group for the lab",
        "in a container, start it with --privileged; `cat /sys/fs/cgroup/cgroup.max.descendants` "
        "shows whether there may be more groups",
    ),
    "mounts": ("this machine does not let hadeb mount the lab's file systems", _CONTAINER),
    "bridge": (
        "this machine does not let hadeb make a network bridge for the lab",
        f"load the module on the host: sudo modprobe bridge; {_CONTAINER}",
    ),
}


def cannot_hold(word: str, errors: str) -> HadebError:
    """The error for a holder that said `word` instead of that it is ready, and then `errors`."""
    step = word.strip().removeprefix("failed: ")
    sentence, hint = _STEPS.get(step, _STEPS[""])
    return HadebError(f"{sentence}{after_colon(reason('', errors))}", hint=hint)
