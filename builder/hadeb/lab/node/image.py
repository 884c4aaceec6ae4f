# SPDX-License-Identifier: Apache-2.0
"""A node's root file system for a Debian suite, made once and cached by the recipe for it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from hadeb.context import from_environment
from hadeb.debian.releases import Suite
from hadeb.errors import HadebError, ToolMissing, of_system
from hadeb.files.lock import locked
from hadeb.interrupt import cleanup
from hadeb.lab.node.mirror import debian_archive, transport_options
from hadeb.reason import after_colon
from hadeb.run import run

# Seconds from the last use of an image until it is removed.
_UNUSED = 30 * 86400.0
# Bytes: what an image takes; with less than the second free, the disk is what failed.
_SIZE, _LEAST = 450 << 20, 4 << 20
_NO_SPACE = re.compile(r"No space left on device|enough free space", re.IGNORECASE)

_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "iproute2", "python3", "procps", "openssh-server"),
    *("pacemaker", "pacemaker-cli-utils", "corosync", "resource-agents", "pcs"),
    "libxml2-utils",
)
# A node starts only what the lab enables: anything else costs time at boot.
_DISABLED = ("corosync", "pacemaker", "pcsd", "pcsd-ruby", "logd", "ssh")
_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "logrotate.timer", "man-db.timer"),
    *("console-getty.service", "getty.target", "systemd-logind.service", "ldconfig.service"),
    *("systemd-hwdb-update.service", "systemd-journal-catalog-update.service"),
    *("systemd-update-done.service", "systemd-update-utmp.service", "systemd-firstboot.service"),
    *("systemd-update-utmp-runlevel.service", "systemd-machine-id-commit.service"),
    *("systemd-random-seed.service", "systemd-binfmt.service", "systemd-pstore.service"),
)
_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
# How services of additional packages are disabled: part of their images' recipe.
_DISABLING = "new .service in *.wants and rc?.d"
_HOOKS = (
    f'chroot "$1" systemctl disable {" ".join(_DISABLED)}',
    f'chroot "$1" systemctl mask {" ".join(_MASKED)}',
    'chroot "$1" systemctl enable systemd-networkd',
    'mkdir -p "$1/var/log/journal"',
    # The settings that made the image are not for the nodes: they install packages like any Debian.
    'rm -f "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    'rm -f "$1/etc/resolv.conf" "$1/etc/machine-id" "$1/etc/hostname"',
)


def recipe_id(suite: Suite, packages: Sequence[str] = ()) -> str:
    """The hash of everything that determines an image; the mirror it came from does not."""
    recipe = json.dumps([suite, [*_PACKAGES, *sorted(packages)], _EXCLUDED, _HOOKS])
    if packages:
        recipe += _DISABLING
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def image(
    suite: Suite, packages: Sequence[str] = (), *, info: Callable[[str], None] = lambda _: None
) -> Path:
    """The directory with the suite's root file system; making it takes some 50 s.

    `packages` are installed in addition to what every node has. The services that they would start
    at boot are disabled, since in a cluster Pacemaker starts them. Two concurrent callers make one
    image. `info` reports slow steps. Images that were not used for a month are removed.
    """
    plain = image(suite, info=info) if packages else None
    images = from_environment().cache / "images"
    ready = images / f"{suite}-{recipe_id(suite, packages)}"
    if ready.is_dir():
        # Where the cache is read-only, nothing is removed from it either.
        with suppress(OSError):
            os.utime(ready)
        return ready
    try:
        images.mkdir(parents=True, exist_ok=True)
        with locked(images / f".{suite}.lock"):
            if not ready.is_dir():
                also = f" with {', '.join(sorted(packages))}" if packages else ""
                info(f"making the image for {suite}{also}, once")
                _make(suite, packages, ready, plain)
                _prune(images)
    except OSError as error:
        failure = of_system(error, images)
        raise HadebError(
            f"the image for {suite} could not be made: {failure.message}", hint=_cache_hint(failure)
        ) from error
    return ready


def _cache_hint(failure: HadebError) -> str:
    elsewhere = "HADEB_CACHE names another directory for the images of nodes"
    return f"{failure.hint}; {elsewhere}" if failure.hint else elsewhere


def _prune(images: Path) -> None:
    for old in images.iterdir():
        if not old.name.startswith(".") and time.time() - old.stat().st_mtime > _UNUSED:
            shutil.rmtree(old, ignore_errors=True)


def _make(suite: Suite, packages: Sequence[str], ready: Path, plain: Path | None) -> None:
    if os.geteuid() != 0:
        raise ToolMissing("making a node's image needs root", hint="run the same command with sudo")
    half_made = f".{suite}-"
    # We hold the lock, so any unfinished image was left by a process that was killed.
    for left in ready.parent.glob(f"{half_made}*.d"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=half_made, suffix=".d", dir=ready.parent))
    with cleanup(partial(shutil.rmtree, work, ignore_errors=True)):
        work.chmod(0o755)
        root = work / "root"
        _bootstrap(suite, packages, root, work)
        root.chmod(0o755)
        # Its time is that of its last use, not that of the files in the archive.
        os.utime(root)
        if plain and (new := sorted(_enabled(root) - _enabled(plain))):
            run(["chroot", str(root), "systemctl", "disable", *new])
        root.rename(ready)


def _free(directory: Path) -> int:
    """The bytes that are free for files in a directory."""
    return shutil.disk_usage(directory).free


def _enabled(root: Path) -> set[str]:
    """The services that a boot would start, from units and from System V scripts."""
    units = root.glob("etc/systemd/system/*.wants/*.service")
    scripts = root.glob("etc/rc[2-5].d/S[0-9][0-9]*")
    return {unit.name for unit in units} | {f"{script.name[3:]}.service" for script in scripts}


def _bootstrap(suite: Suite, packages: Sequence[str], root: Path, work: Path) -> None:
    archive = debian_archive()
    options = work / "apt.conf"
    options.write_text("".join(f"{line}\n" for line in transport_options()))
    keyring = archive.signed_by
    if "\n" in keyring:
        key = work / "archive.asc"
        key.write_text(keyring.strip() + "\n")
        keyring = str(key)
    argv = [
        # The build ends with hadeb, even with SIGKILL, and so do its own children.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
        f"--include={','.join([*_PACKAGES, *sorted(packages)])}",
        f"--aptopt={options}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED),
        *(f"--customize-hook={hook}" for hook in _HOOKS),
        *(suite, str(root), archive.line(suite, keyring)),
    ]
    if not shutil.which("mmdebstrap"):
        raise ToolMissing(
            "mmdebstrap, which makes the lab's nodes, is not installed",
            hint="sudo apt-get install mmdebstrap",
        )
    done = run(argv, timeout=900, check=False)
    if done.returncode != 0:
        if _NO_SPACE.search(done.stderr) or _free(work) < _LEAST:
            where = work.parent
            raise HadebError(
                f"{where}: no space is left there for the image for {suite}, which takes "
                f"{_SIZE >> 20} MB{after_colon(done.reason)}",
                hint="make room there; HADEB_CACHE names another directory for the images of nodes",
            )
        asked = f"has Debian's {suite} {', '.join(sorted(packages))}, and " if packages else ""
        raise HadebError(
            f"the image for {suite} could not be made{after_colon(done.reason)}",
            hint=f"{asked}does `apt-get update` work on this machine?",
        )
