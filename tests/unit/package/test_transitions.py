# SPDX-License-Identifier: Apache-2.0
"""What `hadeb plan` says of dpkg's transitions is what the maintainer scripts really run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hadeb.package.model import Package, Script
from hadeb.package.transitions import Step, effects, transitions
from support.command import ROOT, call_hadeb

BUNDLES = (
    ".",
    *(f"tests/manifests/valid/{case}" for case in ("agents-only", "python-flat", "service")),
)


def planned(bundle: str) -> dict[str, Any]:
    call = call_hadeb("plan", "--json", ROOT / bundle, directory=ROOT)
    assert call.code == 0, call.stderr
    value: dict[str, Any] = json.loads(call.stdout)
    return value


def steps(plan: Mapping[str, Any], transition: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(step["runs"], tuple(step["does"])) for step in plan["transitions"][transition]]


def test_the_sample_reads_as_an_operator_expects() -> None:
    plan = planned(".")
    assert [runs for runs, _ in steps(plan, "install")] == [
        "preinst install",
        "dpkg",
        "postinst configure",
    ]
    assert [runs for runs, _ in steps(plan, "upgrade")] == [
        "prerm upgrade NEW (of the old version)",
        "preinst upgrade OLD (of the new version)",
        "dpkg",
        "postrm upgrade NEW (of the old version)",
        "postinst configure OLD (of the new version)",
    ]
    removal = dict(steps(plan, "remove"))
    assert removal["prerm remove"][0] == "refuse while running"
    assert removal["dpkg"] == ("remove the files, keep the conffiles",)
    assert "systemctl daemon-reload" in removal["postrm remove"]
    assert dict(steps(plan, "purge"))["postrm purge"] == ("rm -rf /run/sample-tcp-server",)


@pytest.mark.parametrize("bundle", BUNDLES)
def test_no_transition_touches_the_service(bundle: str) -> None:
    verbs = ("start", "stop", "restart", "try-restart", "enable", "disable", "deb-systemd-invoke")
    for listed in planned(bundle)["transitions"].values():
        for step in listed:
            assert not [line for line in step["does"] if set(line.split()) & set(verbs)]


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_line_of_the_plan_stands_in_its_script(bundle: str) -> None:
    plan = planned(bundle)
    for listed in plan["transitions"].values():
        for step in listed:
            script = plan["scripts"].get(step["runs"].split()[0])
            for line in step["does"] if script else ():
                assert line in script or f"    {line.replace(' ', '_')}\n" in script


def test_a_package_without_scripts_or_conffiles_has_plain_steps() -> None:
    steps = transitions(Package((), (), (), (), 0))
    assert steps["remove"] == (Step("dpkg", ("remove the files",)),)
    assert steps["purge"] == (Step("dpkg", ("nothing: there are no conffiles",)),)


def test_commands_are_listed_whole_and_words_of_the_shell_are_not() -> None:
    text = """\
#!/bin/sh
# a comment
set -eu

some_thing() {
    hidden
}

case "$1" in
remove | purge)
    if [ -d /run ]; then
        find /run -name x \\
            -delete 2>/dev/null || :
    fi
    some_thing
    done_it now >/dev/null 2>&1
    ;;
upgrade) ;;
*)
    echo unknown >&2
    exit 1
    ;;
esac

iffy --always
"""
    script = Script("prerm", text)
    both = ("find /run -name x -delete", "some thing", "done_it now", "iffy --always")
    assert effects(script, "remove") == effects(script, "purge") == both
    assert effects(script, "upgrade") == ("iffy --always",)
