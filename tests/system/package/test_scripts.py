# SPDX-License-Identifier: Apache-2.0
"""The maintainer scripts run exactly what `hadeb plan` lists."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.command import ROOT, call_hadeb

BUNDLES = (
    ".",
    *(f"tests/manifests/valid/{case}" for case in ("agents-only", "python-flat", "service")),
)
# What only asks; all else that a script starts changes something.
ASKING = {"pidof", "awk", "dpkg-query", "crm_node", "crm_mon", "list-units", "is-active"}
END = "the end of the arguments"


def planned(bundle: str) -> dict[str, Any]:
    call = call_hadeb("plan", "--json", ROOT / bundle, directory=ROOT)
    assert call.code == 0, call.stderr
    value: dict[str, Any] = json.loads(call.stdout)
    return value


def steps(plan: Mapping[str, Any], transition: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(step["runs"], tuple(step["does"])) for step in plan["transitions"][transition]]


def run_script(text: str, arguments: list[str], directory: Path) -> list[list[str]]:
    """Run a maintainer script where systemd seems to run, and note what it starts.

    It gets a /run and a PATH of its own, so that nothing of this machine changes.
    """
    programs = directory / "programs"
    programs.mkdir()
    log = directory / "log"
    log.touch()
    (programs / "timeout").symlink_to("/usr/bin/timeout")
    for name in (
        "pidof",
        "awk",
        "dpkg-query",
        "crm_node",
        "crm_mon",
        "systemctl",
        "py3compile",
        "py3clean",
        "rm",
        "find",
    ):
        status = int(name == "pidof")  # no Pacemaker runs
        # In one write, since two programs of a pipe note themselves at the same time.
        note = f"""printf "%s\\0" {name} "$@" "{END}" >>"{log}"\n"""
        note += f'case " $* " in *" is-active "*) exit 3 ;; esac\nexit {status}\n'
        (programs / name).write_text(f"#!/bin/sh\n{note}", encoding="utf-8")
        (programs / name).chmod(0o755)
    script = directory / "script"
    script.write_text(text, encoding="utf-8")
    inside = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && PATH="$1" && shift'
    subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", f'{inside} && exec /bin/sh "$@"', "sh"),
            *(str(programs), str(script), *arguments),
        ],
        check=True,
        capture_output=True,
    )
    lines = log.read_text("utf-8").split(f"\0{END}\0")
    return [line.split("\0") for line in lines if line]


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("transition", ["install", "upgrade", "remove", "purge"])
def test_the_scripts_start_what_the_plan_says_and_nothing_else(
    bundle: str, transition: str, as_root: None, tmp_path: Path
) -> None:
    plan = planned(bundle)
    for number, (runs, does) in enumerate(steps(plan, transition)):
        name, *arguments = runs.partition(" (")[0].split()
        if name == "dpkg":
            continue
        directory = tmp_path / str(number)
        directory.mkdir()
        versions = ["1.0" if argument.isupper() else argument for argument in arguments]
        started = run_script(plan["scripts"][name], versions, directory)
        changing = [argv for argv in started if not ASKING & {*argv}]
        assert changing == [shlex.split(line) for line in does if not line.startswith("refuse ")]
        asked = {argv[0] for argv in started}
        assert ("refuse while running" in does) == ("pidof" in asked)
        assert ("refuse to lose an agent" in does) == ("dpkg-query" in asked)
