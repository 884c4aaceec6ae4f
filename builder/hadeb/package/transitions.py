# SPDX-License-Identifier: Apache-2.0
"""What dpkg runs in each transition of a package (Debian Policy 6.6 to 6.8). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.package.model import Package, Script, ScriptName

# The steps of each transition: a maintainer script with its arguments, or what dpkg itself does.
# An upgrade runs scripts of two versions; both are shown as they are in this package.
_WALKS: dict[str, tuple[tuple[ScriptName, str] | str, ...]] = {
    "install": (("preinst", "install"), "unpack the files", ("postinst", "configure")),
    "upgrade": (
        ("prerm", "upgrade NEW (of the old version)"),
        ("preinst", "upgrade OLD (of the new version)"),
        "replace the files",
        ("postrm", "upgrade NEW (of the old version)"),
        ("postinst", "configure OLD (of the new version)"),
    ),
    "remove": (("prerm", "remove"), "remove the files", ("postrm", "remove")),
    "purge": ("remove the conffiles", ("postrm", "purge")),
}

# Lines of shell syntax, which are no commands.
_SYNTAX = set("set if then elif else fi case esac ;; for while until do done { } :".split())
_CONTINUED = re.compile(r"\\\n\s*")
# Redirections and `|| :` do not matter for what a command does.
_TAIL = re.compile(r"(?:\s*(?:2?>\s*/dev/null|>&2|2>&1|\|\| :))+$")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a transition. `does` is empty if the script does nothing in it."""

    runs: str
    does: tuple[str, ...] = ()


def transitions(package: Package) -> dict[str, tuple[Step, ...]]:
    """The steps of install, upgrade, remove and purge, in order."""
    return {name: tuple(_steps(walk, package)) for name, walk in _WALKS.items()}


def _steps(walk: tuple[tuple[ScriptName, str] | str, ...], package: Package) -> Iterator[Step]:
    scripts = {script.name: script for script in package.scripts}
    for step in walk:
        if isinstance(step, str):
            yield Step("dpkg", (_of_dpkg(step, package),))
        elif script := scripts.get(step[0]):
            name, arguments = step
            yield Step(f"{name} {arguments}", effects(script, arguments.split()[0]))


def _of_dpkg(action: str, package: Package) -> str:
    if action == "remove the files" and package.conffiles:
        return f"{action}, keep the conffiles"
    if action == "remove the conffiles" and not package.conffiles:
        return "nothing: there are no conffiles"
    return action


def effects(script: Script, action: str) -> tuple[str, ...]:
    """The commands of a rendered script that `action` reaches, in order.

    It understands scripts shaped like those in debian-templates/DEBIAN: functions, one `case "$1"`
    and common lines. A call of a function is shown as the words of its name; with arguments, they
    are the command, which the function runs. Commands inside an `if` are listed whether or not its
    condition holds.
    """
    functions, body = _functions(_CONTINUED.sub("", script.text))
    return tuple(_reached(body, action, functions))


def _functions(text: str) -> tuple[set[str], list[str]]:
    """The names of a script's functions, and the lines outside them."""
    functions: set[str] = set()
    body: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.endswith("() {"):
            functions.add(line[: -len("() {")])
            inside = True
        elif line == "}":
            inside = False
        elif not inside:
            body.append(line)
    return functions, body


def _reached(body: list[str], action: str, functions: set[str]) -> Iterator[str]:
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
        elif _is_command(command) and (matches or not inside):
            yield _shown(command, functions)


def _shown(command: str, functions: set[str]) -> str:
    """A command as an operator reads it."""
    first, _, arguments = command.partition(" ")
    if first not in functions:
        return _TAIL.sub("", command)
    return arguments or first.replace("_", " ")


def _is_command(line: str) -> bool:
    return bool(line) and not line.startswith("#") and line.split(maxsplit=1)[0] not in _SYNTAX
