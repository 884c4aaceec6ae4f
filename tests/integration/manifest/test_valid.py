# SPDX-License-Identifier: Apache-2.0
"""Every feature of the manifest in a tiny bundle: the schema admits it, and it plans and builds.

The plans are compared with tests/golden/; `pytest tests/unit --update-golden` writes them anew.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from hadeb.manifest.schema import schema
from hadeb.package.control import description
from support.command import ROOT, Outcome, call_hadeb

VALID = ROOT / "tests/manifests/valid"
GOLDEN = ROOT / "tests/golden"
CASES = sorted(path.name for path in VALID.iterdir())
SOMEBODY = {"DEBFULLNAME": "Somebody Else", "DEBEMAIL": "else@example.org"}


def plan(directory: Path) -> Outcome:
    return call_hadeb("plan", directory=directory, environment=SOMEBODY)


def without_sizes(text: str) -> str:
    """Another comment in a template changes sizes; test_deb.py compares them with dpkg's."""
    text = re.sub(r"^(  [0-7]{4}) +\d+", r"\1", text, flags=re.MULTILINE)
    return re.sub(r"(?<=Installed-Size: )\d+", "…", text)


def unpacked(directory: Path, into: Path) -> Path:
    """The files of the package that the bundle in `directory` makes, by dpkg-deb."""
    call = call_hadeb("build", "--output", into, directory=directory, environment=SOMEBODY)
    assert call.code == 0, call.stderr
    subprocess.run(["dpkg-deb", "--raw-extract", call.stdout.strip(), into / "tree"], check=True)
    return into / "tree"


@pytest.mark.parametrize("case", CASES)
def test_a_valid_manifest_is_planned_as_before(
    case: str, golden: Callable[[Path, str], None]
) -> None:
    made = plan(VALID / case)
    assert (made.code, made.stderr) == (0, "")
    golden(GOLDEN / f"{case}.plan", without_sizes(made.stdout))


def test_the_plan_as_json_holds_what_the_text_says(golden: Callable[[Path, str], None]) -> None:
    made = call_hadeb("plan", "--json", directory=VALID / "links", environment=SOMEBODY)
    planned = json.loads(made.stdout)
    planned["control"]["Installed-Size"] = "…"
    for entry in planned["entries"]:
        entry.pop("size", None)
    planned["scripts"] = {
        name: text.partition("\n")[0] for name, text in planned["scripts"].items()
    }
    golden(GOLDEN / "links.plan.txt", json.dumps(planned, indent=2) + "\n")


@pytest.mark.parametrize("case", CASES)
def test_the_schema_admits_what_hadeb_takes(case: str) -> None:
    document = tomllib.loads((VALID / case / "bundle.toml").read_text("utf-8"))
    # JSON has no dates: there they are text.
    jsonschema.validate(json.loads(json.dumps(document, default=str)), schema())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Greeter"),
        ("version", "v1"),
        ("architecture", "x86"),
        ("summary", ""),
        ("homepage", "ftp://example.org"),
        ("copyright", []),
        ("nonsense", 1),
        ("manpages", "greeter.8"),
    ],
)
def test_the_schema_refuses_what_hadeb_refuses(key: str, value: object) -> None:
    document = tomllib.loads((VALID / "agents-only/bundle.toml").read_text("utf-8"))
    document["package"][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(json.dumps(document, default=str)), schema())


@pytest.mark.parametrize("changes", [{}, {"agent": []}])
def test_the_schema_refuses_a_bundle_with_nothing_to_run(changes: dict[str, object]) -> None:
    document = tomllib.loads((VALID / "no-agent/bundle.toml").read_text("utf-8"))
    del document["cluster"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(json.dumps(document | changes, default=str)), schema())


def test_the_removal_of_a_package_without_agents_is_not_refused(tmp_path: Path) -> None:
    prerm = unpacked(VALID / "no-agent", tmp_path) / "DEBIAN/prerm"
    subprocess.run(["sh", prerm, "remove"], check=True)
    assert "refuse" not in prerm.read_text("utf-8")


def test_an_agent_that_comes_as_a_link_or_a_file_counts_as_lost(
    bundle: Path, tmp_path: Path
) -> None:
    with (bundle / "bundle.toml").open("a") as stream:
        stream.write(
            '\n[[link]]\npath = "/usr/lib/ocf/resource.d/example/old.name"\ntarget = "greeter"\n'
            '\n[[file]]\nsource = "greeter"\npath = "/usr/lib/ocf/resource.d/other/x/helper"\n'
        )
    preinst = (unpacked(bundle, tmp_path) / "DEBIAN/preinst").read_text("utf-8")
    assert '-v kept=" example:greeter example:old.name other:x "' in preinst


@pytest.mark.parametrize("case", CASES)
def test_a_valid_bundle_becomes_a_package_for_dpkg(case: str, tmp_path: Path) -> None:
    tree = unpacked(VALID / case, tmp_path)
    assert (tree / "DEBIAN/control").read_text("utf-8").startswith("Package: greeter\n")
    agent = tree / "usr/lib/ocf/resource.d/example/greeter"
    # One bundle has none of its own.
    assert agent.exists() == (VALID / case / "greeter").exists()
    assert not agent.exists() or agent.stat().st_mode & 0o777 == 0o755
    for script in ("postinst", "prerm"):
        subprocess.run(["sh", "-n", tree / "DEBIAN" / script], check=True)


def test_carriage_returns_of_another_system_change_nothing(bundle: Path) -> None:
    manifest = bundle / "bundle.toml"
    before = plan(bundle)
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert before.code == 0
    assert plan(bundle) == before


def test_a_byte_order_mark_of_another_system_changes_nothing(bundle: Path) -> None:
    manifest = bundle / "bundle.toml"
    before = plan(bundle)
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    assert before.code == 0
    assert plan(bundle) == before


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\n  Text that says something.\n  ", "   Text that says something."),
        (" \n  x", "   x"),
        ("a\n \t \nb\n\n  \n", " a\n .\n b"),
        ("  \n\t\n", ""),
    ],
)
def test_no_line_of_blanks_reaches_a_description(text: str, written: str) -> None:
    assert description("summary", text) == f"summary\n{written}".rstrip("\n")


def test_a_launcher_ignores_the_users_environment(tmp_path: Path) -> None:
    tree = unpacked(VALID / "python-flat", tmp_path)
    launcher = (tree / "usr/bin/greeterd").read_text("utf-8").splitlines()
    assert re.fullmatch(r"#!/usr/bin/python3 -I\w*", launcher[0])
    assert 'sys.path.insert(0, "/usr/lib/greeter/python")' in launcher


def test_the_services_values_reach_the_unit_quoted(tmp_path: Path) -> None:
    tree = unpacked(VALID / "service", tmp_path)
    unit = (tree / "usr/lib/systemd/system/greeter@.service").read_text("utf-8").splitlines()
    for line in (
        'Environment="PLAIN=hello"',
        r'Environment="QUOTED=say \"it' + r"'s\" 100%% $HOME \\ `id`" + '"',
        'Environment="BLANKS= two  blanks "',
        'Environment="UMLAUT=grüße"',
        'ExecStart=/usr/sbin/greeterd --instance %i --greet "it\'s" $OPTIONS',
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Type=notify",
        "WatchdogSec=7s",
        "TimeoutStartSec=11s",
        "TimeoutStopSec=13s",
        "User=_greeter",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW",
        "RestrictAddressFamilies=AF_UNIX AF_NETLINK",
        "StateDirectory=greeter",
        "Restart=no",
    ):
        assert line in unit
    assert 'Description=Greeter %i at 100%% of %% and "quotes"' in unit
    assert "DynamicUser=yes" not in unit
    assert "[Install]" not in unit


def test_a_plain_service_gets_only_what_it_asks_for(tmp_path: Path) -> None:
    tree = unpacked(VALID / "service-defaults", tmp_path)
    unit = (tree / "usr/lib/systemd/system/greeter@.service").read_text("utf-8")
    assert "DynamicUser=yes" in unit
    assert "\nDescription=greeter for 100%% of %%clusters %%i\n" in unit
    for directive in ("WatchdogSec=", "ExecReload=", "StateDirectory=", "User="):
        assert f"\n{directive}" not in unit


def test_a_service_without_sockets_gets_none_rather_than_all(tmp_path: Path) -> None:
    shutil.copytree(VALID / "service-defaults", tmp_path / "bundle")
    manifest = tmp_path / "bundle/bundle.toml"
    text = manifest.read_text("utf-8")
    assert "[service]\n" in text
    manifest.write_text(text.replace("[service]\n", "[service]\naddress-families = []\n"), "utf-8")
    tree = unpacked(tmp_path / "bundle", tmp_path)
    unit = (tree / "usr/lib/systemd/system/greeter@.service").read_text("utf-8")
    assert "\nRestrictAddressFamilies=none\n" in unit


def test_the_changelog_is_one_that_debian_reads(tmp_path: Path) -> None:
    tree = unpacked(VALID / "epoch-and-revision", tmp_path)
    log = tree / "usr/share/doc/greeter/changelog.Debian.gz"
    text = subprocess.run(["zcat", log], check=True, capture_output=True, text=True).stdout
    assert " -- John Doe <john@example.org>  Sun, 29 Mar 2026 02:30:00 +0200\n" in text
    assert " -- Jane Roe <jane@example.org>  Wed, 31 Dec 2025 23:59:59 +0000\n" in text
    parsed = subprocess.run(
        ["dpkg-parsechangelog", "--all", "--file", "-"],
        input=text,
        check=True,
        capture_output=True,
        text=True,
    )
    assert (parsed.stderr, "Version: 2:1.0~rc1+dfsg-2" in parsed.stdout) == ("", True)


def test_the_copyright_file_holds_the_licenses_text(tmp_path: Path) -> None:
    tree = unpacked(VALID / "own-license", tmp_path)
    text = (tree / "usr/share/doc/greeter/copyright").read_text("utf-8")
    assert "\nSource: https://example.org/greeter?a=b#c\n" in text
    assert "\nLicense: LicenseRef-Greeter\n" in text
    assert text.endswith("\n Do what you want.\n .\n   Indented.\n .\n End.\n")


def test_a_projects_modules_come_from_where_the_manifest_says(tmp_path: Path) -> None:
    flat = unpacked(VALID / "python-flat", tmp_path / "flat") / "usr/lib/greeter/python"
    names = {str(path.relative_to(flat)) for path in flat.rglob("*") if path.is_file()}
    assert names == {"greeterd/__init__.py", "greeterd/more/__init__.py", "greeterd/more/words.txt"}
    src = unpacked(VALID / "python-src-layout", tmp_path / "src") / "usr/lib/greeter/python"
    assert "def main" in (src / "greeterd/__init__.py").read_text("utf-8")
    chosen = unpacked(VALID / "python-explicit-packages", tmp_path / "chosen")
    chosen /= "usr/lib/greeter/python"
    assert {path.name for path in chosen.iterdir()} == {"greeterd", "words.py"}
