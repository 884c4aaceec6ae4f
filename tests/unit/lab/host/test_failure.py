# SPDX-License-Identifier: Apache-2.0
"""A machine that cannot hold a lab is told which step failed, and what helps."""

from __future__ import annotations

import pytest

from hadeb.lab.host.failure import cannot_hold
from hadeb.lab.host.namespaces import _SCRIPT


@pytest.mark.parametrize(
    ("word", "errors", "sentence"),
    [
        ("", "unshare: unshare failed: Operation not permitted\n", "make namespaces"),
        ("failed: cgroups\n", "mount: unknown filesystem type 'cgroup2'.\n", "mount cgroup v2"),
        ("failed: group\n", "", "make a control group"),
        ("failed: mounts\n", "mount: permission denied.\n", "mount the lab's file systems"),
        ("failed: bridge\n", "RTNETLINK answers: Operation not supported\n", "network bridge"),
    ],
)
def test_each_step_has_a_sentence_and_a_remedy(word: str, errors: str, sentence: str) -> None:
    failure = cannot_hold(word, errors)
    assert sentence in failure.message
    assert errors.strip() in failure.message
    assert word.strip() not in failure.message or not word
    assert failure.hint


def test_every_step_of_the_script_is_known() -> None:
    lines = [line.strip() for line in _SCRIPT.read_text("utf-8").splitlines()]
    steps = {line.removeprefix("step=") for line in lines if line.startswith("step=")} - {""}
    unknown = cannot_hold("", "").message
    assert steps
    assert all(cannot_hold(f"failed: {step}\n", "").message != unknown for step in steps)
