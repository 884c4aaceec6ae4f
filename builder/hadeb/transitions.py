# SPDX-License-Identifier: Apache-2.0
"""What dpkg will run at each transition of a package (Debian Policy 6.6 to 6.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.package import Package, Script, ScriptName

# Each transition as dpkg walks it: a maintainer script with its arguments, or what dpkg does.
_WALKS: dict[str, tuple[tuple[ScriptName, str] | str, ...]] = {
    "install": (("preinst", "install"), "unpack the files", ("postinst", "configure")),
    "upgrade": (
        ("prerm", "upgrade NEW"),
        ("preinst", "upgrade OLD"),
        "replace the files",
        ("postrm", "upgrade NEW"),
        ("postinst", "configure OLD"),
    ),
    "remove": (("prerm", "remove"), "remove the files, keep the conffiles", ("postrm", "remove")),
    "purge": ("remove the conffiles", ("postrm", "purge")),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a transition. `does` is empty for a script that does nothing there."""

    runs: str
    does: tuple[str, ...] = ()


def transitions(package: Package) -> dict[str, tuple[Step, ...]]:
    """For install, upgrade, remove and purge the steps in their order."""
    scripts = {script.name: script for script in package.scripts}
    return {name: tuple(_steps(walk, scripts)) for name, walk in _WALKS.items()}


def _steps(
    walk: tuple[tuple[ScriptName, str] | str, ...], scripts: dict[ScriptName, Script]
) -> Iterator[Step]:
    for step in walk:
        if isinstance(step, str):
            yield Step("dpkg", (step,))
        elif script := scripts.get(step[0]):
            name, arguments = step
            yield Step(f"{name} {arguments}", effects(script, arguments.split()[0]))


def effects(script: Script, action: str) -> tuple[str, ...]:
    """The commands of a rendered script that `action` reaches, in their order.

    Reads the shape that debian-templates/DEBIAN has: functions, one `case "$1"`, common lines.
    """
    functions, body = _functions(script.text)
    return tuple(_reached(body, action, functions))


_QUIET = (
    "#",
    "set ",
    "if ",
    "elif ",
    "else",
    "fi",
    "case ",
    "esac",
    ";;",
    "{",
    "}",
    "while ",
    "done",
)


def _functions(text: str) -> tuple[dict[str, list[str]], list[str]]:
    functions: dict[str, list[str]] = {}
    body: list[str] = []
    current = body
    for line in text.splitlines():
        if line.endswith("() {"):
            current = functions[line[: -len("() {")]] = []
        elif line == "}":
            current = body
        else:
            current.append(line)
    return functions, body


def _reached(body: list[str], action: str, functions: dict[str, list[str]]) -> Iterator[str]:
    inside, matches = False, False
    for line in body:
        command = line.strip()
        if line.startswith("case "):
            inside = True
        elif line.startswith("esac"):
            inside = False
        elif inside and not line.startswith(" ") and ")" in line:
            labels = line.split(")")[0].split("|")
            matches = action in (label.strip() for label in labels)
        elif command and not command.startswith(_QUIET) and (matches or not inside):
            yield command.replace("_", " ") if command in functions else command
