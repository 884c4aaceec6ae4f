# SPDX-License-Identifier: Apache-2.0
"""Versions of the sample package, and the state of the installed one on a node."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeb.lab.node.node import Node
from hadeb.run import Completed, run
from support.resource import Resource

ROOT = Path(__file__).resolve().parents[2]
NAME = "sample-tcp-server"
VERSIONS = ("0.9", "1.0", "1.1")
EMERGENCY = "HADEB_REMOVE_ACTIVE=yes"
CODE = f"/usr/lib/{NAME}/python"
SCRIPTS = f"/var/lib/dpkg/info/{NAME}"


def build(version: str, directory: Path, *, without: Sequence[str] = (), service: str = "") -> Path:
    """The sample package as another version, which its unit and its code tell.

    `without` are pieces of the manifest that it lacks, `service` is a line more of that table.

    Its files have the same time and the same size in each, so that nothing but their content says
    which version they are.
    """
    for source in ("agents", "daemon"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / source, directory / source, ignore=ignored)
    manifest = (ROOT / "bundle.toml").read_text("utf-8")
    manifest, versions = re.subn(r'(?m)^version = ".*"', f'version = "{version}"', manifest)
    manifest, units = re.subn(r'(?m)^(description = "TCP greeter)', rf"\1 {version}", manifest)
    assert (versions, units) == (2, 1)
    for piece in without:
        assert manifest.count(piece) == 1
        manifest = manifest.replace(piece, "")
    manifest = manifest.replace("[service]\n", f"[service]\n{service}\n")
    (directory / "bundle.toml").write_text(manifest, "utf-8")
    with (directory / "daemon/sample_tcp_server/__init__.py").open("a") as code:
        code.write(f'\nRELEASE = "{version}"\n')
    built = run([sys.executable, "-m", "hadeb", "build", "--quiet"], cwd=directory)
    return directory / built.stdout.strip()


@dataclass(frozen=True)
class Service:
    """systemd's state of a resource's daemon; equal if nothing touched it."""

    state: str
    pid: int
    invocation: str
    log: tuple[str, ...]


def service(resource: Resource) -> Service:
    """The resource's daemon now, with all that the journal holds of its unit."""
    resource.node.exec("journalctl", "--sync")
    log = resource.node.journal("--output=cat", f"--unit={resource.unit}").splitlines()
    return Service(
        state=resource.show("ActiveState"),
        pid=int(resource.show("MainPID")),
        invocation=resource.show("InvocationID"),
        log=tuple(log),
    )


def loaded(resource: Resource) -> bool:
    """Whether systemd knows the unit's settings, the watchdog's among them."""
    return resource.show("LoadState") == "loaded" and resource.show("WatchdogUSec") == "10s"


def all_said(done: Completed) -> str:
    """Both outputs; apt-get lets dpkg write to a terminal of its own."""
    return (done.stdout + done.stderr).replace("\r\n", "\n")


def install(node: Node, version: str) -> Completed:
    """`dpkg --install` as an operator types it."""
    return node.exec("dpkg", "--install", f"/root/{version}.deb")


def state(node: Node) -> str:
    """What dpkg calls the package's state: installed, config-files, …; not-installed."""
    asked = node.exec("dpkg-query", "--show", "--showformat=${db:Status-Status}", NAME, check=False)
    return asked.stdout or "not-installed"


def version(node: Node) -> str:
    return node.exec("dpkg-query", "--show", "--showformat=${Version}", NAME).stdout


def assert_whole(node: Node, wanted: str) -> None:
    """The package is installed in a version, with nothing half-done, and systemd knows its unit."""
    assert (state(node), version(node)) == ("installed", wanted)
    assert node.exec("dpkg", "--verify", NAME).stdout == ""
    assert node.exec("dpkg", "--audit").stdout == ""
    unit = f"{NAME}@nobody.service"
    shown = node.exec("systemctl", "show", "--property=Description,NeedDaemonReload", unit).stdout
    assert f"TCP greeter {wanted} " in shown
    assert "NeedDaemonReload=no" in shown
    release = f"import sys; sys.path.insert(0, '{CODE}'); import sample_tcp_server as s"
    ran = node.exec("python3", "-IBc", f"{release}; print(s.RELEASE, s.__cached__)").stdout.split()
    assert ran[0] == wanted
    assert node.exec("test", "-e", ran[1], check=False).returncode == 0, "not compiled"
    assert_never_enabled(node)


def assert_never_enabled(node: Node) -> None:
    """Nothing but Pacemaker starts the service: no boot, no timer, no socket."""
    for unit in (f"{NAME}@.service", f"{NAME}-lost@.service"):
        asked = node.exec("systemctl", "is-enabled", unit, check=False)
        assert asked.stdout.strip() == "static"
    wanted = " -o ".join(f"-path '*.{kind}/{NAME}*'" for kind in ("wants", "requires", "upholds"))
    leftovers = node.sh(f"find /etc/systemd /run/systemd /usr/lib/systemd {wanted}")
    assert leftovers.stdout == ""


def files(node: Node) -> set[str]:
    """Every file and directory of the node with its kind and mode, but for what its kernel makes.

    The journal and dpkg's log, which say what happened, are the node's own, and so is the directory
    that systemd makes when the first service with a dynamic user starts; what lies in it counts.
    """
    skipped = "/proc /sys /dev /var/log/journal /run/log /run/systemd/journal"
    paths = " -o ".join(f"-path {path}" for path in skipped.split())
    alone = "! -path /var/log/dpkg.log ! -path /run/systemd/dynamic-uid"
    listed = node.sh(rf"find / \( {paths} \) -prune -o {alone} -printf '%M %p\n'")
    return set(listed.stdout.splitlines())
