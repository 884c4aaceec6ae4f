# SPDX-License-Identifier: Apache-2.0
"""Whatever a package ships for systemd, its maintainer scripts make known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.command import ROOT, call_hadeb
from support.fake_pacemaker import Tools

DROP_IN = "/etc/systemd/system/pacemaker.service.d/greeter.conf"
RELOAD = "daemon-reload"


def plan(directory: Path, *tables: str, service: bool = False) -> Any:
    """The plan of a bundle with these tables."""
    case = "service" if service else "agents-only"
    shutil.copytree(ROOT / "tests/manifests/valid" / case, directory)
    with (directory / "bundle.toml").open("a") as manifest:
        manifest.writelines(f"\n{table}\n" for table in tables)
    (directory / "text").write_text("text\n", "utf-8")
    call = call_hadeb("plan", "--json", directory, directory=directory)
    assert call.code == 0, call.stderr
    return json.loads(call.stdout)


def file(path: str) -> str:
    return f'[[file]]\nsource = "text"\npath = "{path}"'


def reloads(planned: Any) -> set[str]:
    """The transitions in which systemd reads its units again."""
    return {
        transition
        for transition, steps in planned["transitions"].items()
        if f"systemctl {RELOAD}" in [line for step in steps for line in step["does"]]
    }


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (file(DROP_IN), {"install", "upgrade", "remove", "purge"}),
        (file("/usr/lib/systemd/system/x.service.d/y.conf"), {"install", "upgrade", "remove"}),
        (file("/usr/lib/systemd/system-generators/greeter"), {"install", "upgrade", "remove"}),
        (file("/etc/init.d/greeter"), {"install", "upgrade", "remove", "purge"}),
        (
            '[[link]]\npath = "/etc/systemd/system/multi-user.target.wants/g.service"\n'
            'target = "/usr/lib/systemd/system/g.service"',
            {"install", "upgrade", "remove"},
        ),
        (file("/etc/greeter/systemd.conf"), set()),
        (file("/usr/lib/greeter/systemd/system/x.service"), set()),
    ],
)
def test_what_systemd_reads_is_made_known(tmp_path: Path, table: str, expected: set[str]) -> None:
    assert reloads(plan(tmp_path / "bundle", table)) == expected


def test_a_conffile_of_a_service_is_made_known_when_it_is_purged(tmp_path: Path) -> None:
    planned = plan(tmp_path / "bundle", file(DROP_IN), service=True)
    assert reloads(planned) == {"install", "upgrade", "remove", "purge"}


def run_script(tools: Tools, name: str, action: str, *tables: str, service: bool = False) -> str:
    """Run a maintainer script as where systemd runs; return what it says."""
    directory = tools.directory.parent
    text = plan(directory / "bundle", *tables, service=service)["scripts"][name]
    script = directory / name
    script.write_text(text.replace("/run/systemd/system", str(directory)), "utf-8")
    done = tools.run(script, action)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_systemd_that_is_executing_itself_again_is_asked_again(tmp_path: Path) -> None:
    tools = Tools(tmp_path / "tools")
    tools.add("systemctl", "exit 0", silent=2)
    assert run_script(tools, "postinst", "configure", file(DROP_IN)) == ""
    assert tools.calls("systemctl") == [RELOAD] * 3


def test_a_systemd_that_never_answers_is_named_with_the_remedy(tmp_path: Path) -> None:
    tools = Tools(tmp_path / "tools")
    tools.add("systemctl", "exit 124")  # as after a time limit
    assert run_script(tools, "postinst", "configure", file(DROP_IN)) == (
        "greeter: systemd does not answer; when it does, run: systemctl daemon-reload\n"
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", ["list-units", "list-units", RELOAD, "reset-failed"]),
        ("greeter@R.service loaded failed failed x", ["list-units"] * 2 + [RELOAD, "reset-failed"]),
        ("greeter@R.service loaded active running x", ["list-units"] * 2),
    ],
)
def test_systemd_forgets_a_unit_only_once_it_says_that_none_runs(
    tmp_path: Path, answer: str, expected: list[str]
) -> None:
    """A unit that it forgets takes no sign of life, and the watchdog kills the daemon."""
    tools = Tools(tmp_path / "tools")
    tools.prints("systemctl", f"{answer}\n", silent=1)
    run_script(tools, "postrm", "remove", service=True)
    assert [call.split()[0] for call in tools.calls("systemctl")] == expected
