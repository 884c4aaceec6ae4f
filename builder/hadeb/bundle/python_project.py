# SPDX-License-Identifier: Apache-2.0
"""A Python daemon's pyproject.toml: what the package needs from it, and what is forbidden. Pure.

hadeb copies a project's import packages and runs no build backend, so the project must be pure
Python and must have its metadata in [project] (PEP 621).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hadeb.bundle.model import PythonProject
from hadeb.debian.relations import parse_alternatives
from hadeb.manifest.hints import fields_of
from hadeb.manifest.model import Manifest
from hadeb.manifest.reader import Problem, read
from hadeb.manifest.toml_lines import KeyPath
from hadeb.manifest.values import Line

_SCRIPT = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_COMMAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Project:
    """The part of the [project] table (PEP 621) that hadeb uses."""

    name: Line
    requires_python: str = ""
    dependencies: tuple[Line, ...] = ()
    scripts: Mapping[str, Line] = field(default_factory=dict)
    dynamic: tuple[str, ...] = ()


def read_project(document: Mapping[str, object]) -> tuple[PythonProject | None, list[Problem]]:
    """The project of a parsed pyproject.toml, without its modules, and what is wrong with it."""
    table = document.get("project")
    if not isinstance(table, dict):
        return None, [(("project",), "is missing; hadeb reads the daemon's name and scripts there")]
    known = {each.key for each in fields_of(_Project)}
    reading = read(_Project, {name: table[name] for name in table.keys() & known})
    problems: list[Problem] = [
        (("project", *path), sentence) for path, sentence in reading.problems
    ]
    if not (project := reading.complete):
        return None, problems
    problems.extend(_problems(project))
    made = PythonProject(
        name=project.name,
        scripts=project.scripts,
        dependencies=project.dependencies,
        requires_python=project.requires_python,
        modules=(),
    )
    return made, problems


def _problems(project: _Project) -> Iterable[Problem]:
    for name in sorted({"scripts", "dependencies"} & set(project.dynamic)):
        yield ("project", "dynamic"), f"hadeb runs no build backend; write {name} into [project]"
    for command, target in project.scripts.items():
        path: KeyPath = ("project", "scripts", command)
        if not _COMMAND.fullmatch(command):
            yield path, "is not the name of a command"
        if not _SCRIPT.fullmatch(target):
            yield path, f"{target!r} must be 'module:function'"


def missing_modules(project: PythonProject) -> Iterable[Problem]:
    """The scripts whose module is not in the package and cannot come from a dependency."""
    installed = {module.path.rpartition(".")[0] for module in project.modules}
    packages = {path.partition("/")[0] for path in installed}
    for command, target in project.scripts.items():
        module = target.partition(":")[0]
        path = module.replace(".", "/")
        # What is not the name of a module is reported by read_project.
        if not _SCRIPT.fullmatch(target) or {path, f"{path}/__init__"} & installed:
            continue
        top = path.partition("/")[0]
        others = bool(project.dependencies) or top in sys.stdlib_module_names
        sentence = f"module {module!r} is not in the package"
        if top in packages:
            yield ("project", "scripts", command), sentence
        elif not others:
            remedy = f"add {top!r} to daemon.packages, or what ships it to dependencies"
            yield ("project", "scripts", command), f"{sentence}; {remedy}"


def _required(requirement: str) -> str:
    """The project that a requirement names (PEP 508)."""
    match = _REQUIREMENT.match(requirement)
    return match[1] if match else requirement


def import_name(project_name: str) -> str:
    """The import package that a project of this name has by convention."""
    return _normal(project_name).replace("-", "_")


def _normal(name: str) -> str:
    """A project's name in normal form: typing_extensions and Typing.Extensions are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def minimum_python(requires_python: str) -> str | None:
    """The lowest version that `requires-python` admits: "3.9" of ">=3.9,<4"."""
    match = re.search(r">=\s*(\d+(?:\.\d+)*)", requires_python)
    return match[1] if match else None


def debian_dependencies(manifest: Manifest, project: PythonProject) -> Iterable[Problem]:
    """The dependencies that no Debian package in [relations] meets, and entries without one."""
    daemon = manifest.daemon
    named = {
        _normal(name): package for name, package in (daemon.dependencies if daemon else {}).items()
    }
    relations = (*manifest.relations.depends, *manifest.relations.pre_depends)
    # apt may install another alternative than the first, but prefers the first.
    depends = {parse_alternatives(relation)[0].name for relation in relations}
    needed = {_required(requirement): requirement for requirement in project.dependencies}
    for name in daemon.dependencies if daemon else ():
        if _normal(name) not in {_normal(each) for each in needed}:
            sentence = f"the project does not need it; it needs {', '.join(needed) or 'nothing'}"
            yield ("daemon", "dependencies", name), sentence
    for name, requirement in needed.items():
        package = named.get(_normal(name), f"python3-{_normal(name)}")
        if package not in depends:
            remedy = f"add {package!r} to [relations] depends, or say under [daemon.dependencies]"
            sentence = f"the project needs {requirement!r}; {remedy} which Debian package {name} is"
            yield ("daemon", "python"), sentence
