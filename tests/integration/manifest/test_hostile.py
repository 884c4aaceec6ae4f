# SPDX-License-Identifier: Apache-2.0
"""Generated manifests with errors in their meaning or their syntax.

Each is built, or refused with sentences that say file and line: nothing else is ever raised, and
a refused one writes nothing. They go through the real main function, a few through the process.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, MutableMapping, MutableSequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from support.command import ROOT, Outcome, call_hadeb, run_hadeb
from support.samples import examples

FAULT = re.compile(r"(?:bundle|daemon/pyproject)\.toml(?::[1-9]\d*)?: \S.*")
SUMMARY = re.compile(r"error: [1-9]\d* findings? in .*; nothing was written")
FIELDS = set(
    b"Package Version Architecture Maintainer Installed-Size Pre-Depends Depends Recommends"
    b" Suggests Enhances Conflicts Breaks Replaces Provides Section Priority Homepage"
    b" Description".split()
)
UNTOLD = re.compile(r"Traceback|bug:|\.py\b.*line|<class|object at 0x")

# Everything the manifest has, so that every key can be spoiled.
RICH: dict[str, Any] = {
    "package": {
        "name": "greeter",
        "version": "1:1.0-1",
        "architecture": "all",
        "section": "net",
        "priority": "optional",
        "maintainer": "Jane Roe <jane@example.org>",
        "summary": "greeter for clusters",
        "description": "First paragraph.\n\n  verbatim\n",
        "homepage": "https://example.org/",
        "license": "Apache-2.0",
        "license-file": "greeter",
        "copyright": ["2026 Jane Roe"],
        "manpages": ["greeter.8"],
    },
    "relations": {"depends": ["python3-yaml (>= 6) | python3"], "provides": ["greeting"]},
    "agent": [{"source": "greeter", "provider": "example"}],
    "daemon": {
        "python": "daemon",
        "packages": ["greeterd"],
        "dependencies": {"PyYAML": "python3-yaml"},
        "executables": ["greeter-ctl"],
    },
    "service": {
        "exec": "/usr/bin/greeterd %i",
        "description": "greets",
        "reload": "/bin/kill -HUP $MAINPID",
        "type": "notify",
        "watchdog": 10,
        "start-timeout": 60,
        "user": "greeter",
        "capabilities": ["CAP_NET_RAW"],
        "address-families": ["AF_INET"],
        "state-directory": True,
        "environment": {"GREET": "hello"},
    },
    "cluster": {
        "service": "GREETER",
        "properties": {"no-quorum-policy": "stop"},
        "max-outage": {"daemon-killed": 500},
        "resource": [
            {
                "name": "GREETER",
                "agent": "ocf:example:greeter",
                "parameters": {"greet": "Hi!"},
                "meta": {"migration-threshold": "3"},
                "copies": "promotable",
                "clone-meta": {"notify": "true"},
                "operations": [
                    {"name": "monitor", "interval": "10s", "role": "Promoted"},
                    {"name": "monitor", "interval": "1min", "options": {"OCF_CHECK_LEVEL": "10"}},
                    {"name": "stop", "timeout": "20", "on-fail": "fence"},
                ],
            },
            {"name": "VIP", "agent": "ocf:heartbeat:IPaddr2"},
        ],
        "colocation": [
            {"resource": "VIP", "with": "GREETER", "score": "-5", "with-role": "Promoted"}
        ],
        "order": [{"first": "GREETER", "first-action": "promote", "then": "VIP"}],
        "answer": {
            "kind": "tcp",
            "address": "172.16.0.50",
            "port": 5678,
            "send": "\r\n",
            "expect": "This is (?P<node>\\S+)!",
        },
    },
    "file": [
        {"source": "greeter", "path": "/usr/share/greeter/x", "mode": "0644"},
        {"source": "share", "path": "/etc/greeter", "conffile": True},
    ],
    "link": [{"path": "/usr/share/greeter/y", "target": "x"}],
    "lintian-override": [{"tag": "no-manual-page", "reason": "there is none", "match": "*"}],
    "changelog": [{"version": "1:1.0-1", "date": "@2026-01-31", "changes": ["First release."]}],
}
PROJECT: dict[str, Any] = {
    "project": {
        "name": "greeterd",
        "version": "1.0",
        "requires-python": ">=3.9",
        "dependencies": ["pyyaml>=6"],
        "scripts": {"greeterd": "greeterd:main"},
    }
}

HOSTILE_TEXT = st.one_of(
    st.sampled_from(
        [
            *("", " ", "\n", "a\nb", "a\r\nb", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028"),
            *("..", "../x", "/", "//", "/etc/passwd", ".", "./", "a/..", "share", "pipe", "loop"),
            *("%", "%%", "%i", "{{ name }}", "{% raw %}", "$(id)", "`id`", "\\", 'a"b', "a'b"),
            *("-", "--help", "~", "*", "x" * 300, "ü" * 200, "\U0001f600", "\u202etxt", "1.0"),
            *(
                "/usr/share/" + "x" * 300,
                "/usr/share/" + "y/" * 200 + "z",
                "/usr",
                "/etc",
                "/etc/x",
            ),
            *("/usr/share/greeter/x", "/usr/share/doc/greeter/copyright", "/usr/lib/greeter"),
            *("/usr/share/greeter/\u00fc", "a.8", "greeter.8", "AF_INET6", "1:", "1:1-", "0.0~~"),
            *("a.b:c", "greeterd:main\n", "CAP_\n", "name\n| other", "name (>= 1)\n", "root\n"),
            *("VIP", "GREETER-clone", "10s\n", "(", "[[a]", "(?i", "a{99999999999}", "fe80::1%\0"),
            *("Jane Roe <jane@example.org>\n", "2026 Jane Roe\n", "0644\n", "https://x\n", "GPL-3"),
        ]
    ),
    st.text(max_size=30),
)
HOSTILE = st.one_of(
    HOSTILE_TEXT,
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([0, 1, -1, 2**63, 3600, 3601]),
    st.floats(),
    st.sampled_from(["@1979-05-27", "@0001-01-01T00:00:00+14:00", "@9999-12-31", "@07:32:00"]),
    st.lists(HOSTILE_TEXT, max_size=3),
    st.dictionaries(HOSTILE_TEXT, HOSTILE_TEXT, max_size=3),
    st.just([[[]]]),
    st.just([{}]),
    st.just({"a": {"b": {}}}),
)
BROKEN_BYTES = st.sampled_from(
    [
        b"\xff",
        b"\0",
        b'"',
        b"'''",
        b"[",
        b"]]",
        b"=",
        b"\n[",
        b"\\u",
        b"0x",
        b"1" * 5000,
        b"[" * 2000,
    ]
)


def toml(value: Any) -> str:
    """A value as TOML, in inline forms; text that begins with @ is a date."""
    match value:
        case dict():
            pairs = ", ".join(f"{quoted(str(name))} = {toml(item)}" for name, item in value.items())
            return f"{{ {pairs} }}"
        case list():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case str() if value.startswith("@") and re.fullmatch(r"@[\dT:+-]+", value):
            return value[1:]
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def written(document: dict[str, Any]) -> str:
    """A document with a header a table, a key a line."""
    lines: list[str] = []
    for name, table in document.items():
        items = table if isinstance(table, list) and all(isinstance(i, dict) for i in table) else []
        if isinstance(table, dict):
            lines.append(f"[{quoted(name)}]")
            lines.extend(f"{quoted(key)} = {toml(value)}" for key, value in table.items())
        for item in items:
            lines.append(f"[[{quoted(name)}]]")
            lines.extend(f"{quoted(key)} = {toml(value)}" for key, value in item.items())
        if not isinstance(table, dict) and not items:
            lines.insert(0, f"{quoted(name)} = {toml(table)}")
    return "\n".join(lines) + "\n"


Place = tuple[MutableMapping[str, Any] | MutableSequence[Any], Any]


def places(value: Any) -> Iterator[Place]:
    """Every (container, key) of a document."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        yield value, key
        yield from places(item)


def mutate(draw: st.DrawFn, document: dict[str, Any]) -> str:
    candidates = list(places(document))
    container, key = draw(st.sampled_from(candidates))
    other_container, other_key = draw(st.sampled_from(candidates))
    kind = draw(st.sampled_from(["drop", "replace", "replace", "rename", "add", "swap", "repeat"]))
    match kind, container:
        case "drop", _:
            del container[key]
        case "rename", dict():
            container[draw(HOSTILE_TEXT)] = container.pop(key)
        case "add", dict():
            container[draw(HOSTILE_TEXT)] = copy.deepcopy(draw(HOSTILE))
        case "swap", _:
            container[key] = copy.deepcopy(other_container[other_key])
        case "repeat", list():
            container.append(copy.deepcopy(container[key]))
        case _:
            container[key] = copy.deepcopy(draw(HOSTILE))  # a drawn object may come again
    return kind


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A manifest and a pyproject.toml, at least one of them not as it should be."""
    documents = [copy.deepcopy(RICH), copy.deepcopy(PROJECT)]
    for _ in range(draw(st.integers(0, 3))):
        chosen = documents[draw(st.sampled_from([0, 0, 0, 1]))]
        if chosen:
            event(mutate(draw, chosen))
    texts = [written(document).encode("utf-8", "replace") for document in documents]
    if draw(st.integers(0, 3)) == 0:
        which = draw(st.sampled_from([0, 0, 1]))
        at = draw(st.integers(0, len(texts[which])))
        cut = draw(st.sampled_from(["insert", "truncate", "delete"]))
        event(cut)
        before, after = texts[which][:at], texts[which][at:]
        added = draw(BROKEN_BYTES) if cut == "insert" else b""
        texts[which] = before + added + {"insert": after, "truncate": b"", "delete": after[3:]}[cut]
    return texts[0], texts[1]


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that RICH names, and a few that no manifest should name."""
    directory = tmp_path_factory.mktemp("rich")
    shutil.copytree(ROOT / "tests/manifests/valid/python-flat", directory, dirs_exist_ok=True)
    (directory / "greeter.8").write_text(".TH GREETER 8\n", encoding="utf-8")
    shutil.copy(directory / "greeter", directory / "greeter-ctl")
    (directory / "daemon/share").mkdir()
    (directory / "share").mkdir()
    (directory / "share/x").touch()
    (directory / "loop").symlink_to("loop")
    (directory / "daemon/greeterd/link").symlink_to("__init__.py")
    return directory


def checked(outcome: Outcome, directory: Path) -> bool:
    """Whether it was built; anything but a package or reported findings fails."""
    assert not UNTOLD.search(outcome.stdout + outcome.stderr), outcome.stderr
    left = [path.name for path in (directory / "dist").glob("*")]
    if outcome.code == 0:
        (name,) = left
        assert outcome.stdout == f"dist/{name}\n"
        assert outcome.stderr == ""
        # dpkg-deb reads it, and finds no field in it that nobody meant.
        fields = subprocess.run(
            ["dpkg-deb", "--field", directory / "dist" / name], check=True, capture_output=True
        )
        assert fields.stderr == b""
        assert set(re.findall(rb"^[^ :]+(?=:)", fields.stdout, re.MULTILINE)) <= FIELDS
        (directory / "dist" / name).unlink()
        return True
    assert (outcome.code, outcome.stdout, left) == (3, "", [])
    *faults, summary = outcome.stderr.splitlines()
    assert faults
    for line in faults:
        assert FAULT.fullmatch(line), line
    assert SUMMARY.fullmatch(summary)
    return False


def write(directory: Path, texts: tuple[bytes, bytes]) -> None:
    (directory / "bundle.toml").write_bytes(texts[0])
    (directory / "daemon/pyproject.toml").write_bytes(texts[1])


def test_the_manifest_that_gets_spoiled_is_good_itself(rich: Path) -> None:
    write(rich, (written(RICH).encode(), written(PROJECT).encode()))
    assert tomllib.loads(written(RICH))["package"] == RICH["package"]
    assert checked(call_hadeb("build", directory=rich), rich)


@settings(
    max_examples=examples(300, 5000),
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(spoiled())
def test_a_spoiled_manifest_is_built_or_refused_and_nothing_else(
    rich: Path, texts: tuple[bytes, bytes]
) -> None:
    write(rich, texts)
    event("built" if checked(call_hadeb("build", directory=rich), rich) else "refused")


@settings(max_examples=examples(6, 50), deadline=None, database=None, phases=[Phase.generate])
@given(spoiled())
def test_a_spoiled_manifest_ends_the_process_as_it_should(
    rich: Path, texts: tuple[bytes, bytes]
) -> None:
    write(rich, texts)
    checked(run_hadeb("build", directory=rich), rich)
