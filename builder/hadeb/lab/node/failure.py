# SPDX-License-Identifier: Apache-2.0
"""Why a node has no disk or does not boot, read from what was printed, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

from hadeb.errors import CommandFailed, HadebError
from hadeb.reason import after_colon, reason

_MADE_AGAIN = "remove the image, and hadeb makes it again: sudo rm -r {image}"
# What a console says, each with the cause and a remedy.
_CAUSES = (
    (
        r"inotify|Too many open files|Failed to allocate manager object",
        "the machine has no inotify instance left for the node's systemd",
        "end other labs and containers, or allow more: "
        "sudo sysctl fs.inotify.max_user_instances=1024",
    ),
    (
        r"exec\S*\(?.*(systemd|/sbin/init).*No such file|look like it has an OS tree"
        r"|[Nn]o (init|os-release)|Unable to determine.*OS",
        "the image has no systemd to boot",
        _MADE_AGAIN,
    ),
    (
        r"No space left on device",
        "no space is left on the node's disk, which is in memory",
        "give the machine or the container more memory",
    ),
    (
        r"Cannot allocate memory|Out of memory|oom-kill",
        "there is not enough memory for the node",
        "use fewer nodes (--nodes 2), end other labs, or give the machine more memory",
    ),
    (
        r"cgroup|control group",
        "the node's systemd cannot use its control groups",
        "a container needs --privileged; a machine needs a kernel with cgroup v2",
    ),
    (
        r"Caught <\w+>|Freezing execution|dumped core",
        "the node's systemd crashed",
        _MADE_AGAIN,
    ),
    (
        r"Operation not permitted|Permission denied",
        "this machine does not let hadeb start a container",
        "run hadeb on a machine or in a virtual machine, or start the container with --privileged",
    ),
)
_ELSEWHERE = "set HADEB_CACHE to a directory on another file system (ext4, xfs, tmpfs)"


def is_frozen(console: str) -> bool:
    """Whether the node's systemd has crashed: it then stays, and does nothing any more."""
    return "Freezing execution" in console


def boot_failed(how: str, console: str, image: Path) -> HadebError:
    """The error for a node that did not boot; `how` is a sentence with the node's name."""
    printed = after_colon(reason(console, ""))
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, console):
            return HadebError(f"{how}; {cause}{printed}", hint=remedy.format(image=image))
    again = f"if every node ends so, {_MADE_AGAIN.format(image=image)}"
    if not printed:
        # So ends a systemd that gets no inotify instance.
        likely, allow = _CAUSES[0][1:]
        return HadebError(
            f"{how}, and printed nothing: most likely {likely}", hint=f"{allow}; {again}"
        )
    return HadebError(f"{how}{printed}", hint=again)


def no_disk(image: Path, error: CommandFailed) -> HadebError:
    """The error for a node whose disk, an overlay on the image, could not be mounted."""
    if _is_on_overlay(image):
        return HadebError(
            f"cannot mount a node's disk over {image}: the image is on an overlay itself, as a "
            f"container's own disk is, and overlays stack only so deep{after_colon(error.reason)}",
            hint=_ELSEWHERE,
        )
    return HadebError(
        f"cannot mount a node's disk over {image}{after_colon(error.reason)}",
        hint=f"does the kernel have overlay file systems (modprobe overlay)? If so, {_ELSEWHERE}",
    )


def _is_on_overlay(path: Path) -> bool:
    """Whether the file system that holds a directory is an overlay."""
    mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines()
    types = {words[1]: words[2] for line in mounts if len(words := line.split()) > 2}
    places = (str(place) for place in (path, *path.parents))
    return next((types[place] for place in places if place in types), "") == "overlay"
