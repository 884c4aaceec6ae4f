# SPDX-License-Identifier: Apache-2.0
"""Source packages built by dpkg-buildpackage, with dpkg-dev alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_RULES = """\
#!/usr/bin/make -f
build binary-arch:
binary binary-indep:
\tmkdir -p debian/greet/usr/share/greet debian/greet/DEBIAN
\tcp greeting debian/greet/usr/share/greet
\tdpkg-gencontrol -pgreet -Pdebian/greet
\tdpkg-deb --root-owner-group --build debian/greet ..
clean:
\trm -rf debian/greet debian/files
"""
_CONTROL = """\
Source: greet
Section: misc
Priority: optional
Maintainer: Nobody <nobody@localhost>
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: greet
Architecture: all
Description: a sample
"""
_CHANGELOG = """\
greet ({version}) unstable; urgency=low

  * As it is.

 -- Nobody <nobody@localhost>  Wed, 01 Jan 2025 00:00:00 +0000
"""


def built(place: Path, version: str, *options: str, greeting: str = "hello\n") -> Path:
    """The .changes of the source `greet`, a version such as 1.0-1, with all it names beside it.

    An orig.tar that lies there is taken as it is.
    """
    upstream = version.rpartition(":")[2].rpartition("-")[0]
    tree = place / f"greet-{upstream}"
    (tree / "debian/source").mkdir(parents=True, exist_ok=True)
    (tree / "greeting").write_text(greeting)
    orig = place / f"greet_{upstream}.orig.tar.gz"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "LC_ALL": "C.UTF-8"}
    if not orig.exists():
        packed = ("tar", "-czf", orig, f"{tree.name}/greeting")
        subprocess.run(packed, cwd=place, env=environment, check=True)
    (tree / "debian/source/format").write_text("3.0 (quilt)\n")
    (tree / "debian/control").write_text(_CONTROL)
    (tree / "debian/changelog").write_text(_CHANGELOG.format(version=version))
    (tree / "debian/rules").write_text(_RULES)
    (tree / "debian/rules").chmod(0o755)
    argv = ("dpkg-buildpackage", "-us", "-uc", "-d", *options)
    done = subprocess.run(
        argv, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (changes,) = place.glob(f"greet_{version.rpartition(':')[2]}_*.changes")
    return changes
