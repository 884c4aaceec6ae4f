# SPDX-License-Identifier: Apache-2.0
"""The command within this process: results, exit codes, help, color."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from hadeb.cli.main import hadeb
from support.command import ROOT, call_hadeb
from support.two_bundles import several

COMMANDS = sorted(hadeb.commands)
VALID = ROOT / "tests/manifests/valid"
INVALID = ROOT / "tests/manifests/invalid"


def test_a_manifest_may_be_a_file_a_directory_or_left_out(bundle: Path, tmp_path: Path) -> None:
    for arguments, directory in (
        (("bundle/bundle.toml",), tmp_path),
        (("bundle",), tmp_path),
        ((bundle,), Path("/")),
        ((), bundle),
    ):
        call = call_hadeb("build", "--output", tmp_path / "dist", *arguments, directory=directory)
        assert call.stdout == f"{tmp_path}/dist/greeter_1.0_all.deb\n"


def test_several_manifests_give_a_line_each(tmp_path: Path) -> None:
    call = call_hadeb("build", *several(tmp_path), directory=tmp_path)
    assert call.stdout == "dist/greeter-1_1.0_all.deb\ndist/greeter-2_1.0_all.deb\n"
    planned = call_hadeb("plan", "bundle-1", "bundle-2", directory=tmp_path)
    assert planned.stdout.startswith("greeter-1_1.0_all.deb\n")
    assert "\n\ngreeter-2_1.0_all.deb\n" in planned.stdout


def test_one_bad_manifest_among_good_ones_stops_them_all(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = 1\n", encoding="utf-8")
    call = call_hadeb("build", *several(tmp_path), "bad.toml", directory=tmp_path)
    assert (call.code, call.stdout) == (3, "")
    assert not (tmp_path / "dist").exists()


def test_json_of_a_plan_holds_files_fields_scripts_and_transitions(tmp_path: Path) -> None:
    planned = json.loads(call_hadeb("plan", "--json", ROOT, directory=tmp_path).stdout)
    assert planned["file"] == "sample-tcp-server_1.0_all.deb"
    assert planned["control"]["Package"] == "sample-tcp-server"
    assert {"path", "mode", "size"} == planned["entries"][0].keys()
    assert set(planned["transitions"]) == {"install", "upgrade", "remove", "purge"}
    assert planned["scripts"]["prerm"].startswith("#!/bin/sh\n")
    several_plans = call_hadeb("plan", "--json", *several(tmp_path), directory=tmp_path)
    assert [plan["file"] for plan in json.loads(several_plans.stdout)] == [
        "greeter-1_1.0_all.deb",
        "greeter-2_1.0_all.deb",
    ]


def test_the_commands_of_several_clusters_are_parted_by_an_empty_line(tmp_path: Path) -> None:
    single = call_hadeb("plan", "--pcs", VALID / "cluster", directory=tmp_path).stdout
    both = call_hadeb("plan", "--pcs", ROOT, VALID / "cluster", directory=tmp_path).stdout
    assert both.endswith(f"VIP INFINITY\n\n{single}")


def test_a_manifest_without_a_cluster_has_no_commands_and_says_so(tmp_path: Path) -> None:
    for option in ("--pcs", "--crm"):
        call = call_hadeb("plan", option, ROOT, VALID / "links", directory=tmp_path)
        assert (call.code, call.stdout) == (2, "")
        error, hint = call.stderr.splitlines()[-2:]
        assert error.startswith("error: ")
        assert "links/bundle.toml has no [cluster]" in error
        assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("bild",),
        ("build", "--nope"),
        ("build", "--output"),
        ("plan", "--output", "x"),
        ("plan", "--pcs", "--crm"),
        ("plan", "--json", "--pcs"),
        ("completion", "tcsh"),
        ("completion",),
        ("schema", "extra"),
        ("--nope",),
        (),
    ],
)
def test_a_command_line_of_no_sense_ends_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    call = call_hadeb(*arguments, directory=tmp_path)
    assert (call.code, call.stdout) == (2, "")
    assert re.search(r"^Usage: hadeb|^Error: Option '--output'", call.stderr)
    assert not list(tmp_path.iterdir())


RED = "\x1b[1;31merror\x1b[0m: "


@pytest.mark.parametrize(
    ("environment", "colored"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": ""}, False),
    ],
)
def test_color_is_not_for_files_unless_forced(environment: dict[str, str], colored: bool) -> None:
    call = call_hadeb("build", directory=INVALID / "empty", environment=environment)
    assert (RED in call.stderr) == colored
    assert ("\x1b" in call.stderr) == colored


def test_quiet_and_verbose_change_the_messages_but_not_the_result(bundle: Path) -> None:
    plain = call_hadeb("build", directory=bundle)
    verbose = call_hadeb("build", "--verbose", directory=bundle)
    quiet = call_hadeb("build", "-q", "-v", directory=bundle)
    assert plain.stdout == verbose.stdout == quiet.stdout
    assert (plain.stderr, quiet.stderr) == ("", "")
    assert verbose.stderr.startswith("1 built in ")


def test_quiet_still_tells_errors() -> None:
    call = call_hadeb("build", "--quiet", directory=INVALID / "empty")
    assert call.stderr.endswith("error: 3 findings in bundle.toml; nothing was written\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_is_cut_short_or_missing(command: str) -> None:
    overview = call_hadeb("-h", directory=ROOT, environment={"COLUMNS": "80"}).stdout
    (line,) = [line for line in overview.splitlines() if line.startswith(f"  {command} ")]
    assert not line.endswith("...")
    options = [each for each in hadeb.commands[command].params if isinstance(each, click.Option)]
    assert all(option.help for option in options)


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    call = call_hadeb("--version", directory=tmp_path)
    assert (call.code, call.stdout) == (0, "hadeb 0.1.0\n")
