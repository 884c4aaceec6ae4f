# SPDX-License-Identifier: Apache-2.0
"""dpkg's transitions of the package, with the resource running or stopped."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hadeb.lab.node.node import Node
from hadeb.run import Completed
from support.resource import SUCCESS, Resource
from support.sample_package import (
    CODE,
    EMERGENCY,
    NAME,
    SCRIPTS,
    all_said,
    assert_never_enabled,
    assert_whole,
    build,
    files,
    install,
    loaded,
    service,
    state,
)

# dpkg finds this dpkg-deb first: of the archive's files it lets through so much and no more.
CUT_OFF = """#!/bin/sh
case "$*" in *--fsys-tarfile*)
    /usr/bin/dpkg-deb "$@" | head -c 30000
    {then}
    exit 1
esac
exec /usr/bin/dpkg-deb "$@"
"""
RIVAL = """Package: rival
Version: 1
Architecture: all
Maintainer: Jane Roe <jane@example.org>
{relations}
Description: package that takes the place of another
"""


def start(resource: Resource) -> None:
    started = resource("start")
    assert started.returncode == SUCCESS, started.stderr


def wait_for_the_failure(resource: Resource) -> None:
    """Wait until the unit has failed, and the crash hook, whose job comes with that, has run."""
    hooks = f"systemctl list-jobs --no-legend '{NAME}-lost@*'"
    resource.node.sh(
        f'until systemctl is-failed {resource.unit} && [ -z "$({hooks})" ]; do sleep 0.05; done'
    )


def cut_off(node: Node, version: str, then: str) -> Completed:
    """Install a version whose unpacking breaks off in the middle."""
    node.write("/run/broken/dpkg-deb", CUT_OFF.format(then=then), mode=0o755)
    broken = node.sh(f"PATH=/run/broken:$PATH dpkg --install /root/{version}.deb", check=False)
    node.exec("rm", "-r", "/run/broken")
    return broken


def make_rival(node: Node, relations: str) -> None:
    node.write("/root/rival/DEBIAN/control", RIVAL.format(relations=relations))
    node.exec("dpkg-deb", "--build", "/root/rival", "/root/rival.deb")


def assert_refused(done: Completed, resource: Resource) -> None:
    """Assert that the removal failed, with the reason and the remedy."""
    assert done.returncode != 0
    output = all_said(done)
    assert f"{NAME}: not removed: its service runs:\n  {resource.unit}\n" in output
    assert f"systemctl stop '{NAME}@*.service'" in output
    assert f"{EMERGENCY} dpkg --remove {NAME}" in output


@pytest.mark.parametrize(
    ("before", "after"),
    [("0.9", "1.0"), ("1.1", "1.0"), ("1.0", "1.0")],
    ids=["upgrade", "downgrade", "reinstall"],
)
def test_another_version_does_not_touch_the_service(
    resource: Resource, before: str, after: str, running: bool
) -> None:
    install(resource.node, before)
    assert_whole(resource.node, before)
    if running:
        start(resource)
    untouched = service(resource)
    assert (untouched.pid > 0) == running
    done = install(resource.node, after)
    assert done.stderr.replace("dpkg: warning: downgrading", "") == done.stderr or before > after
    assert_whole(resource.node, after)
    assert service(resource) == untouched
    if running:
        assert resource("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
        assert resource("stop").returncode == SUCCESS
    assert service(resource).state == "inactive"


def test_an_upgrade_to_a_daemon_without_watchdog_does_not_kill_the_running_one(
    resource: Resource, tmp_path: Path
) -> None:
    node = resource.node
    quick = "[Service]\nWatchdogSec=1s\n"
    drop_in = f"/run/systemd/system/{NAME}@.service.d/quick.conf"
    plain = ("watchdog = 10\n",)
    node.push(build("2.0", tmp_path, without=plain, service='type = "exec"'), "/root/2.0.deb")
    node.write(drop_in, quick)
    try:
        # The installation makes systemd read the drop-in as well.
        install(node, "1.0")
        start(resource)
    finally:
        node.exec("rm", drop_in)
    assert resource.show("WatchdogUSec") == "1s"
    untouched = service(resource)
    install(node, "2.0")
    assert resource.show("Type") == "exec"
    time.sleep(2.5)  # so that the old daemon's watchdog would have bitten
    assert service(resource) == untouched


def test_an_installation_does_not_touch_the_service(resource: Resource, running: bool) -> None:
    node = resource.node
    if running:
        # Left over from an emergency.
        install(node, "0.9")
        start(resource)
        node.sh(f"{EMERGENCY} dpkg --remove {NAME}")
        assert state(node) == "config-files"
    untouched = service(resource)
    assert install(node, "1.0").stderr == ""
    assert_whole(node, "1.0")
    assert service(resource) == untouched
    assert (untouched.pid > 0) == running


@pytest.mark.parametrize("verb", ["remove", "purge"])
@pytest.mark.parametrize("tool", ["dpkg", "apt-get"])
def test_removal_is_refused_while_the_service_runs(
    resource: Resource, tool: str, verb: str
) -> None:
    install(resource.node, "1.0")
    start(resource)
    untouched = service(resource)
    command = {"dpkg": f"dpkg --{verb} {NAME}", "apt-get": f"apt-get --yes {verb} {NAME}"}[tool]
    refused = resource.node.sh(command, check=False)
    assert refused.returncode == {"dpkg": 1, "apt-get": 100}[tool]
    assert_refused(refused, resource)
    assert_whole(resource.node, "1.0")
    assert service(resource) == untouched
    # It does as the sentence says.
    resource.node.sh(f"systemctl stop '{NAME}@*.service'")
    resource.node.sh(command)
    assert state(resource.node) == {"remove": "config-files", "purge": "not-installed"}[verb]


@pytest.mark.parametrize("tool", ["dpkg --remove", "apt-get --yes remove"])
def test_an_emergency_overrides_the_refusal_and_kills_nothing(
    resource: Resource, tool: str
) -> None:
    install(resource.node, "1.0")
    start(resource)
    untouched = service(resource)
    removed = resource.node.sh(f"{EMERGENCY} {tool} {NAME}")
    assert f"{EMERGENCY}: not looking" in all_said(removed)
    assert state(resource.node) == "config-files"
    assert service(resource) == untouched
    # A unit that systemd forgets takes no sign of life, and the watchdog kills the daemon.
    assert loaded(resource)


def test_a_service_that_failed_does_not_hold_back_a_removal(resource: Resource) -> None:
    install(resource.node, "1.0")
    start(resource)
    resource.node.exec("systemctl", "kill", "--signal=KILL", resource.unit)
    wait_for_the_failure(resource)
    removed = resource.node.exec("dpkg", "--remove", NAME)
    assert (removed.stderr, state(resource.node)) == ("", "config-files")
    assert (
        resource.node.exec("systemctl", "list-units", "--all", f"{NAME}*").stdout.count(NAME) == 0
    )


def test_purge_leaves_no_file(node: Node, resource: Resource) -> None:
    before = files(node)
    install(node, "0.9")
    assert files(node) > before
    start(resource)
    assert resource("stop").returncode == SUCCESS
    install(node, "1.0")
    start(resource)
    # The crash hook runs; and an older Python has left its cache.
    node.exec("systemctl", "kill", "--signal=KILL", resource.unit)
    node.sh(f"touch {CODE}/sample_tcp_server/__pycache__/cli.cpython-37.pyc")
    wait_for_the_failure(resource)
    node.exec("dpkg", "--remove", NAME)
    left = {line.split()[-1] for line in files(node) - before}
    assert {path for path in left if NAME in path} == {
        f"/etc/needrestart/conf.d/{NAME}.conf",
        *(f"/run/{NAME}{name}" for name in ("", "/R.conf", "/R.watched")),
        *(f"{SCRIPTS}.{name}" for name in ("list", "postrm")),
    }
    node.exec("dpkg", "--purge", NAME)
    assert files(node) ^ before == set()
    assert state(node) == "not-installed"


def test_an_unpacked_package_is_configured_later(resource: Resource, running: bool) -> None:
    install(resource.node, "0.9")
    if running:
        start(resource)
    untouched = service(resource)
    resource.node.exec("dpkg", "--unpack", "/root/1.0.deb")
    assert state(resource.node) == "unpacked"
    assert service(resource) == untouched
    resource.node.exec("dpkg", "--configure", "--pending")
    assert_whole(resource.node, "1.0")
    assert service(resource) == untouched


def test_an_upgrade_goes_on_after_dpkg_was_killed_while_it_unpacked(
    resource: Resource, running: bool
) -> None:
    install(resource.node, "0.9")
    if running:
        start(resource)
    untouched = service(resource)
    # dpkg has to have unpacked what it was given.
    cut_off(resource.node, "1.0", "sleep 0.3; kill -KILL $PPID")
    assert state(resource.node) == "half-installed"
    resource.node.exec("dpkg", "--configure", "--pending", check=False)
    install(resource.node, "1.0")
    assert_whole(resource.node, "1.0")
    assert service(resource) == untouched


def test_a_failed_upgrade_leaves_the_old_version_whole(resource: Resource, running: bool) -> None:
    install(resource.node, "0.9")
    if running:
        start(resource)
    untouched = service(resource)
    broken = cut_off(resource.node, "1.0", "")
    assert broken.returncode == 1
    assert_whole(resource.node, "0.9")
    assert service(resource) == untouched


def test_an_upgrade_gets_past_an_old_version_whose_script_fails(resource: Resource) -> None:
    install(resource.node, "0.9")
    start(resource)
    untouched = service(resource)
    resource.node.write(f"{SCRIPTS}.prerm", "#!/bin/sh\nexit 9\n", mode=0o755)
    assert "trying script from the new package" in install(resource.node, "1.0").stderr
    assert_whole(resource.node, "1.0")
    assert service(resource) == untouched


def test_a_conflicting_package_replaces_one_only_while_its_service_is_stopped(
    resource: Resource, running: bool
) -> None:
    node = resource.node
    make_rival(node, f"Conflicts: {NAME}\nReplaces: {NAME}")
    install(node, "1.0")
    if running:
        start(resource)
    untouched = service(resource)
    done = node.exec("dpkg", "--install", "/root/rival.deb", check=False)
    if running:
        assert_refused(done, resource)
        assert_whole(node, "1.0")
    else:
        assert done.returncode == 0
        assert state(node) == "config-files"
    assert service(resource) == untouched


def test_a_deconfigured_package_goes_on_running(resource: Resource) -> None:
    node = resource.node
    make_rival(node, f"Breaks: {NAME}")
    install(node, "1.0")
    start(resource)
    untouched = service(resource)
    node.exec("dpkg", "--auto-deconfigure", "--unpack", "/root/rival.deb")
    assert state(node) == "half-configured"
    assert resource("monitor", OCF_CHECK_LEVEL="10").returncode == SUCCESS
    node.exec("dpkg", "--purge", "rival")
    node.exec("dpkg", "--configure", "--pending")
    assert_whole(node, "1.0")
    assert service(resource) == untouched


@pytest.mark.parametrize("hidden", ["/run", "/run /proc"])
def test_every_transition_works_where_systemd_is_not_running(node: Node, hidden: str) -> None:
    mounts = "".join(f"mount -t tmpfs none {path};" for path in hidden.split())
    steps = ("install /root/0.9.deb", "install /root/1.0.deb", f"remove {NAME}", f"purge {NAME}")
    for step in steps:
        done = node.exec("unshare", "--mount", "sh", "-ec", f"{mounts} dpkg --{step}")
        assert done.stderr == ""
        if step == steps[1]:
            node.exec("systemctl", "daemon-reload")
            assert_whole(node, "1.0")
    assert state(node) == "not-installed"


def test_a_script_refuses_a_step_that_it_does_not_know(node: Node) -> None:
    install(node, "1.0")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        called = node.exec(f"{SCRIPTS}.{script}", "nonsense", check=False)
        assert called.returncode == 1
        assert called.stderr == f"{NAME}: {script} called with unknown argument 'nonsense'\n"
    assert_never_enabled(node)


def test_a_new_python_compiles_the_code_again(node: Node) -> None:
    install(node, "1.0")
    cache = f"{CODE}/sample_tcp_server/__pycache__"
    compiled = node.sh(f"ls {cache}").stdout.split()
    assert len(compiled) > 5
    # As if an older Python had compiled it.
    node.sh(f"cd {cache} && for file in *.pyc; do mv $file ${{file%%.*}}.cpython-37.pyc; done")
    hook = f"/usr/share/python3/runtime.d/{NAME}.rtupdate"
    for step in ("pre-rtupdate", "rtupdate", "post-rtupdate"):
        assert node.exec(hook, step, "python3.7", "python3").stderr == ""
    assert node.sh(f"ls {cache}").stdout.split() == compiled
