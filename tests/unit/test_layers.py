# SPDX-License-Identifier: Apache-2.0
"""Imports go down only, and a pure module reaches no process, no disk and no network.

ORDER lists the folders and modules of builder/hadeb/ from the ground up. A new folder is added
there, where its imports say it belongs; a new module of a listed folder needs no entry.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from pathlib import Path, PurePath

import pytest

TOOLKIT = Path(__file__).resolve().parents[2] / "builder" / "hadeb"
MOST_MODULES = 14  # what a reader takes in at a glance

# From the ground up. A module belongs to the longest entry that is its path or a folder above it.
ORDER = (
    *("__init__", "reason", "errors", "interrupt", "parallel", "debian", "context", "run", "files"),
    *("manifest", "pacemaker", "bundle/model", "bundle/python_project", "bundle", "package"),
    *("lab/__init__", "lab/host", "lab/node", "lab/client", "lab/cluster", "lab/scenario"),
    *("lab/fault/catalogue", "lab/fault", "lab/verdict", "lab/report", "lab/trial"),
    *("repo/__init__", "repo/model", "repo/apt", "repo/disk", "repo/intake", "repo/signing"),
    *("repo/session", "repo/site", "repo/keyring", "repo/transaction", "repo/s3"),
    *("repo/commands", "doctor", "cli", "__main__"),
)

# Folders and modules whose functions only compute: value in, value out.
PURE = (
    *("errors", "reason", "debian", "manifest", "bundle/model", "bundle/python_project"),
    *("bundle/cluster_checks", "bundle/unit_checks"),
    *("package/model", "package/plan", "package/control", "package/deb", "package/transitions"),
    "package/state",
    *(
        "pacemaker",
        "lab/client/answers",
        "lab/client/stored",
        "lab/client/outage",
        "lab/cluster/configuration",
        "lab/cluster/network",
        "lab/node/networkd",
        "lab/node/shared",
        "lab/scenario/storage",
        "lab/fault/catalogue",
    ),
    *("lab/verdict", "lab/report"),
    *("repo/model", "repo/disk/indexes", "repo/apt/dependencies", "repo/s3/bucket"),
    *("repo/s3/state", "repo/site/pages", "repo/site/index_page", "repo/site/sources"),
    *("repo/site/template", "repo/keyring/package"),
)
IMPURE = ("lab/report/write",)

# Modules that may read files of hadeb itself: templates, and the docstrings of the model.
READS_ITSELF = {
    *("package/render", "manifest/schema", "lab/report/page", "lab/report/timeline"),
    *("repo/site/template",),
}

EFFECTS = {
    *("asyncio", "boto3", "botocore", "ctypes", "fcntl", "ftplib", "http.client", "http.server"),
    *("mmap", "multiprocessing", "os", "pty", "selectors", "select", "shutil", "signal"),
    *("smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "termios"),
    *("urllib.request",),
}
READING = {"is_dir", "open", "read_bytes", "read_text"}
TOUCHING = {
    *("chmod", "exists", "glob", "hardlink_to", "is_file", "is_symlink", "iterdir"),
    *("lstat", "mkdir", "readlink", "rename", "rglob", "rmdir", "samefile", "stat", "symlink_to"),
    *("touch", "unlink", "write_bytes", "write_text"),
}


@functools.cache
def trees() -> Mapping[str, ast.Module]:
    """The syntax tree of each module, by its path below builder/hadeb/ without `.py`."""
    return {
        str(path.relative_to(TOOLKIT).with_suffix("")): ast.parse(path.read_text("utf-8"))
        for path in sorted(TOOLKIT.rglob("*.py"))
    }


@functools.cache
def names_imported(tree: ast.Module) -> tuple[str, ...]:
    """Each name that a module imports, in full, wherever in the module that is."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def module_of(name: str, modules: Mapping[str, object]) -> str | None:
    """The module of hadeb that an imported name is or belongs to."""
    package, *parts = name.split(".")
    if package != "hadeb":
        return None
    for length in range(len(parts), -1, -1):
        path = "/".join(parts[:length])
        for module in (path, f"{path}/__init__".lstrip("/")):
            if module in modules:
                return module
    raise AssertionError(f"{name}: no such module")


def imports(sources: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """The modules of hadeb that each module imports."""
    return {
        module: {
            imported
            for name in names_imported(tree)
            if (imported := module_of(name, sources)) and imported != module
        }
        for module, tree in sources.items()
    }


def entry_of(module: str, entries: tuple[str, ...]) -> str | None:
    """The longest entry that is the module or a folder above it."""
    paths = [module, *(str(parent) for parent in PurePath(module).parents)]
    return next((path for path in paths if path in entries), None)


def upward(graph: Mapping[str, set[str]]) -> list[str]:
    """Each import that goes up, or that two modules of one folder make in a circle."""
    depth = {module: ORDER.index(entry_of(module, ORDER) or "") for module in graph}
    up = [
        f"{module} imports {imported}"
        for module, below in graph.items()
        for imported in sorted(below)
        if depth[imported] > depth[module]
    ]
    rest = dict(graph)
    while leaves := [module for module, below in rest.items() if not below & rest.keys()]:
        for module in leaves:
            del rest[module]
    return up or [f"{module} is in a circle of imports, or above it" for module in sorted(rest)]


def is_pure(module: str) -> bool:
    return entry_of(module, PURE) is not None and module not in IMPURE


@functools.cache
def own_effects(module: str, tree: ast.Module) -> list[str]:
    """What a module itself names of processes, the disk and the network."""
    effects: set[str] = set()
    for name in names_imported(tree):
        parts = name.split(".")
        effects |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)} & EFFECTS
    touching = TOUCHING if module in READS_ITSELF else TOUCHING | READING
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            effects |= {f"{called}()"} if called in touching else set()
    return sorted(effects)


def reached_effects(sources: Mapping[str, ast.Module], start: str) -> list[str]:
    """Each effect that a module reaches through its imports, with the way to it."""
    graph = imports(sources)
    ways = {start: [start]}
    queue = [start]
    for module in queue:
        for imported in sorted(graph[module] - ways.keys()):
            ways[imported] = [*ways[module], imported]
            queue.append(imported)
    return [
        f"{' imports '.join(way)}: {', '.join(effects)}"
        for module, way in ways.items()
        if (effects := own_effects(module, sources[module]))
    ]


def planted(module: str, imported: str) -> dict[str, ast.Module]:
    """The toolkit as it would be if a module had one more import."""
    return {
        **trees(),
        module: ast.Module([*trees()[module].body, *ast.parse(f"import {imported}").body], []),
    }


def below(*folders: str) -> list[str]:
    return [module for module in trees() if PurePath(module).parts[0] in folders]


def test_every_module_has_a_place_in_the_order() -> None:
    assert not [module for module in trees() if entry_of(module, ORDER) is None]


@pytest.mark.parametrize("entries", [ORDER, PURE, IMPURE, tuple(READS_ITSELF)])
def test_every_entry_names_something(entries: tuple[str, ...]) -> None:
    assert not [entry for entry in entries if not any(entry_of(m, (entry,)) for m in trees())]


def test_no_import_goes_up_or_in_a_circle() -> None:
    assert upward(imports(trees())) == []


@pytest.mark.parametrize("module", [module for module in trees() if is_pure(module)])
def test_a_pure_module_reaches_no_effect(module: str) -> None:
    assert reached_effects(trees(), module) == []


@pytest.mark.parametrize("module", below("lab", "repo"))
def test_an_import_from_above_is_noticed_in_every_module(module: str) -> None:
    top = "hadeb.cli.main"
    assert f"{module} imports cli/main" in upward(imports(planted(module, top)))


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("lab/host/processes", "hadeb.lab.node.node"),
        ("lab/client/watch", "hadeb.lab.cluster.cluster"),
        ("repo/disk/pool", "hadeb.repo.commands.publish"),
        ("repo/model/contents", "hadeb.repo.disk.layout"),
    ],
)
def test_an_import_between_two_folders_of_one_parent_is_noticed(module: str, imported: str) -> None:
    path = imported.removeprefix("hadeb.").replace(".", "/")
    assert f"{module} imports {path}" in upward(imports(planted(module, imported)))


@pytest.mark.parametrize("module", [module for module in trees() if is_pure(module)])
@pytest.mark.parametrize("imported", ["subprocess", "hadeb.run"])
def test_a_pure_module_that_comes_to_reach_a_process_is_noticed(module: str, imported: str) -> None:
    way = f"{module}: subprocess" if imported == "subprocess" else f"{module} imports run: "
    reached = reached_effects(planted(module, imported), module)
    assert any(effect.startswith(way) for effect in reached)


def test_a_pure_module_that_reaches_a_process_through_others_is_noticed() -> None:
    # The verdict imports the answers; the answers do not import run.
    reached = reached_effects(planted("lab/client/answers", "hadeb.run"), "lab/verdict/verdict")
    way = "lab/verdict/verdict imports lab/client/answers imports run: "
    assert any(effect.startswith(way) for effect in reached)


def test_no_folder_holds_more_modules_than_a_reader_takes_in() -> None:
    folders: dict[PurePath, list[str]] = {}
    for module in trees():
        if PurePath(module).name != "__init__":
            folders.setdefault(PurePath(module).parent, []).append(module)
    assert not {
        str(folder): len(held) for folder, held in folders.items() if len(held) > MOST_MODULES
    }


def test_no_module_has_the_name_of_a_folder_beside_it() -> None:
    folders = {str(PurePath(module).parent) for module in trees()}
    assert not folders & trees().keys()
