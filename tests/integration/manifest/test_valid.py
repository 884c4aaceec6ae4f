# SPDX-License-Identifier: Apache-2.0
"""Every feature of the manifest in a tiny bundle: the schema admits it, and it plans and builds.

The plans are compared with tests/golden/; `pytest tests/unit --update-golden` writes them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.command import ROOT, call_hadeb

VALID = ROOT / "tests/manifests/valid"
CASES = sorted(path.name for path in VALID.iterdir())
SOMEBODY = {"DEBFULLNAME": "Somebody Else", "DEBEMAIL": "else@example.org"}


def unpacked(directory: Path, into: Path) -> Path:
    """The files of the package that the bundle in `directory` makes, by dpkg-deb."""
    call = call_hadeb("build", "--output", into, directory=directory, environment=SOMEBODY)
    assert call.code == 0, call.stderr
    subprocess.run(["dpkg-deb", "--raw-extract", call.stdout.strip(), into / "tree"], check=True)
    return into / "tree"


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
