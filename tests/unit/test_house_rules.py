# SPDX-License-Identifier: Apache-2.0
"""Rules of the house that a program can check: who may print, headers, sizes, names.

The order of the layers is in test_layers.py.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
TOOLKIT = ROOT / "builder" / "hadeb"

# Modules that are programs of their own: the lab starts them in a namespace and reads what they
# print. A module that imports them may still use their names.
PROGRAMS = {"lab/client/ask.py", "lab/cluster/power.py"}
# Whether to color depends on the terminal and the environment together, so the mouth looks itself.
READS_ENVIRONMENT = {"context.py", "cli/terminal.py"}

GENERATED = {
    *(".git", ".venv", "dist", "__pycache__", ".mypy_cache", ".ruff_cache"),
    *(".pytest_cache", ".hypothesis"),
}
NO_COMMENTS = {".png", ".json"}
HEADER = re.compile(
    r"""^(\#|\{\#|<!--|\.\\"|//|/\*|\.\.)[ ].*SPDX-License-Identifier:[ ]Apache-2\.0""", re.VERBOSE
)
REGISTRIES = re.compile(
    r"""
    \b((deb|ftp|security|snapshot|archive|cdn-fastly)(\.\w\w)?\.debian\.org
    | (archive|security|ports)\.ubuntu\.com
    | pypi\.(org|python\.org) | files\.python(hosted)\.org
    | registry\.(npmjs\.org|yarnpkg\.com) | (static\.)?crates\.io | proxy\.golang\.org)
    """,
    re.VERBOSE | re.IGNORECASE,
)
SHELVES_FOR_ANYTHING = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base"}
LONGEST_MODULE = 320
LONGEST_FUNCTION = 50


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project that a person wrote."""
    files = []
    for directory, directories, names in os.walk(ROOT):
        directories[:] = [name for name in directories if name not in GENERATED]
        # In a worktree of git, .git is a file.
        files += [Path(directory, name) for name in names if name not in GENERATED]
    return tuple(sorted(files))


def python_files(*below: str) -> list[Path]:
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in below
    ]


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def uses(path: Path, pattern: str) -> list[str]:
    """Where a module uses a matching name, imported by itself or through its module."""
    matches = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name | ast.Attribute):
            names = [dotted(node)]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        matches += [f"{place(path, node)}: {name}" for name in names if re.fullmatch(pattern, name)]
    return matches


TOOLKIT_FILES = [path for path in python_files("builder") if path.is_relative_to(TOOLKIT)]
MOUTH = {"__main__.py", *(f"cli/{path.name}" for path in (TOOLKIT / "cli").glob("*.py"))}


def toolkit_files(*, but: set[str]) -> list[Path]:
    return [path for path in TOOLKIT_FILES if str(path.relative_to(TOOLKIT)) not in but]


def test_only_the_mouth_prints_exits_and_reads_the_terminal() -> None:
    words = (
        r"print|breakpoint|exit|quit|SystemExit|sys\.(exit|stdout|stderr|stdin)"
        r"|click\.(echo\w*|secho|style|prompt|confirm|pause|edit|clear|get_text_stream|progressbar)"
    )
    spoken = [use for path in toolkit_files(but=MOUTH | PROGRAMS) for use in uses(path, words)]
    assert not spoken


def test_only_run_starts_processes() -> None:
    words = (
        r"subprocess\.(run|Popen|call|check_call|check_output|getoutput|getstatusoutput)"
        r"|os\.(system|popen|fork|forkpty|exec\w+|spawn\w+|posix_spawnp?)|pty\.\w+"
    )
    started = [
        call
        for path in toolkit_files(but={"run.py"} | PROGRAMS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and re.fullmatch(words, dotted(node.func))
        for call in [f"{place(path, node)}: {dotted(node.func)}"]
    ]
    started += [
        f"{place(path, node)}: from subprocess import …"
        for path in toolkit_files(but={"run.py"})
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "subprocess"
    ]
    assert not started


def test_only_context_reads_the_environment() -> None:
    read = [
        use
        for path in toolkit_files(but=READS_ENVIRONMENT)
        for use in uses(path, r"os\.(environb?|getenvb?)(\.\w+)?")
    ]
    assert not read


def test_every_file_begins_with_its_license() -> None:
    bare = []
    for path in project_files():
        if path.name == "LICENSE" or path.suffix in NO_COMMENTS:
            continue
        lines = path.read_text("utf-8").split("\n", 3)[:3]
        if not any(HEADER.match(line) for line in lines):
            bare.append(str(path.relative_to(ROOT)))
    assert not bare


def test_no_registry_is_named() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in project_files()
        if path.suffix != ".png" and (match := REGISTRIES.search(path.read_text("utf-8")))
    ]
    assert not named, "the mirror comes from the machine's own apt and pip"


def test_no_debian_package_is_named_twice_where_the_setup_lists_them() -> None:
    listed = (ROOT / "builder/tools/setup.sh").read_text("utf-8").split("LIST")[1].splitlines()[1:]
    names = [line.split()[1] for line in listed]
    assert len(names) > 20
    assert sorted(set(names)) == sorted(names)


def test_no_module_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files("builder", "daemon")
        if (lines := path.read_text("utf-8").count("\n")) > LONGEST_MODULE
    }
    assert not long


def test_no_function_is_too_long_to_read() -> None:
    long = [
        f"{place(path, node)}: {node.name}"
        for path in python_files("builder", "daemon", "tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_no_module_is_a_shelf_for_anything() -> None:
    shelves = [
        str(path.relative_to(ROOT))
        for path in python_files("builder", "daemon", "tests")
        if SHELVES_FOR_ANYTHING & {path.stem, path.parent.name}
    ]
    assert not shelves


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    # conftest.py alone skips, and only what needs root where there is none.
    let_off = [
        use
        for path in python_files("tests")
        if path.name != "conftest.py"
        for use in uses(path, r"(pytest|unittest)\.(mark\.)?(skip\w*|xfail|importorskip)")
    ]
    assert not let_off


@functools.cache
def locked(name: str) -> dict[str, str]:
    """The versions that a lock file pins; every pin must have hashes."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", "")
    pins = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin = re.match(r"([a-z0-9-]+)==(\S+)( ;[^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+$", line)
            assert pin, f"{name}: no pin with hashes: {line[:60]}"
            pins[pin[1]] = pin[2]
    return pins


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.lock", []), ("requirements-dev.lock", ["dev"])]
)
def test_a_lock_holds_what_pyproject_asks_for(lock: str, groups: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"].get("dependencies", []))
    for group in groups:
        wanted += project["dependency-groups"][group]
    missing = [
        text
        for text, requirement in ((text, Requirement(text)) for text in wanted)
        if not requirement.specifier.contains(locked(lock).get(requirement.name, "0"))
    ]
    assert not missing, "`make lock` renews the lock"


def test_the_tools_run_with_the_libraries_that_hadeb_is_released_with() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


def test_no_pattern_is_possessive_since_the_oldest_python_we_run_on_gets_it_wrong() -> None:
    possessive = re.compile(r"[)\]}*+?.\w][*+?}]\+|\(\?>")
    violations = [
        f"{place(path, node)}: {node.value}"
        for path in python_files("builder", "daemon")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "(" in node.value
        and possessive.search(node.value)
    ]
    assert not violations
