# SPDX-License-Identifier: Apache-2.0
"""Without a name, the lab's commands mean what the caller brought up in this directory."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from hadeb.cli import terminal
from hadeb.context import from_environment
from hadeb.errors import UsageError
from hadeb.lab.cluster import persistent
from hadeb.lab.cluster.persistent import Lab, Origin
from hadeb.lab.host.namespaces import Namespaces
from support.command import call_hadeb


class Labs:
    """Labs that are up, and which of them were ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.directory = directory
        self.running: list[Lab] = []
        self.ended: list[str] = []
        monkeypatch.setattr(persistent, "labs", lambda: self.running)
        monkeypatch.setattr(Lab, "down", lambda lab: self.ended.append(lab.namespaces.id))

        def attach(name: str) -> Lab:
            for lab in self.running:
                if lab.namespaces.id == name:
                    return lab
            raise UsageError(f"there is no lab {name}")

        monkeypatch.setattr(Lab, "attach", attach)

    def add(self, name: str, *, directory: Path | None = None, uid: int | None = None) -> None:
        here = Origin.of(dataclasses.replace(from_environment(), directory=self.directory))
        origin = dataclasses.replace(
            here,
            directory=str(directory or self.directory),
            uid=here.uid if uid is None else uid,
        )
        self.running.append(Lab(Namespaces(id=name), "bookworm", (), origin))


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Labs:
    return Labs(monkeypatch, tmp_path)


def test_down_ends_the_callers_labs_of_this_directory_alone(labs: Labs, tmp_path: Path) -> None:
    labs.add("aaaa")
    labs.add("bbbb", directory=tmp_path / "elsewhere")
    labs.add("cccc", uid=4242)
    labs.add("dddd")
    done = call_hadeb("lab", "down", directory=tmp_path)
    assert (done.code, labs.ended) == (0, ["aaaa", "dddd"])
    assert "bbbb" in done.stderr
    assert "hadeb lab down --all" in done.stderr


def test_down_ends_what_it_is_told(labs: Labs, tmp_path: Path) -> None:
    labs.add("aaaa")
    labs.add("bbbb", uid=4242)
    assert call_hadeb("lab", "down", "bbbb", directory=tmp_path).code == 0
    assert labs.ended == ["bbbb"]
    assert call_hadeb("lab", "down", "--all", directory=tmp_path).code == 0
    assert labs.ended == ["bbbb", "aaaa", "bbbb"]
    assert call_hadeb("lab", "down", "--all", "aaaa", directory=tmp_path).code == 2


def test_down_ends_nothing_if_one_of_the_names_is_unknown(labs: Labs, tmp_path: Path) -> None:
    labs.add("aaaa")
    assert call_hadeb("lab", "down", "aaaa", "nonesuch", directory=tmp_path).code == 2
    assert labs.ended == []


@pytest.mark.parametrize("agrees", [True, False])
def test_on_a_terminal_down_asks_before_it_ends_several(
    labs: Labs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:
    labs.add("aaaa")
    monkeypatch.setattr(terminal, "is_interactive", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: agrees)
    assert call_hadeb("lab", "down", directory=tmp_path).code == 0
    assert labs.ended == ["aaaa"]
    labs.add("bbbb")
    done = call_hadeb("lab", "down", directory=tmp_path)
    assert (done.code, labs.ended[1:]) == ((0, ["aaaa", "bbbb"]) if agrees else (1, []))


def test_status_shows_the_same_and_counts_the_others(labs: Labs, tmp_path: Path) -> None:
    labs.add("aaaa")
    labs.add("bbbb", uid=4242)
    done = call_hadeb("lab", "status", directory=tmp_path)
    assert done.stdout.startswith("aaaa  bookworm")
    assert "bbbb" not in done.stdout
    assert "hadeb lab status --all" in done.stderr
    shown = json.loads(call_hadeb("lab", "status", "--all", "--json", directory=tmp_path).stdout)
    assert [lab["id"] for lab in shown] == ["aaaa", "bbbb"]
    assert shown[0]["directory"] == str(tmp_path)


def test_exec_takes_the_same_and_names_the_others(labs: Labs, tmp_path: Path) -> None:
    labs.add("bbbb", directory=tmp_path / "elsewhere")
    done = call_hadeb("lab", "exec", "ha1", "--", "true", directory=tmp_path)
    assert done.code == 2
    assert "you brought up no lab in this directory" in done.stderr
    assert "bbbb" in done.stderr
    labs.add("aaaa")
    done = call_hadeb("lab", "exec", "ha1", "--", "true", directory=tmp_path)
    assert "there is no node ha1" in done.stderr
    labs.add("cccc")
    done = call_hadeb("lab", "exec", "ha1", "--", "true", directory=tmp_path)
    assert "there are several labs: aaaa, cccc" in done.stderr


def test_on_a_terminal_exec_asks_which(
    labs: Labs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs.add("aaaa")
    labs.add("cccc")
    monkeypatch.setattr(terminal, "is_interactive", lambda: True)
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return "cccc"

    monkeypatch.setattr("click.prompt", prompt)
    done = call_hadeb("lab", "exec", "ha1", "--", "true", directory=tmp_path)
    assert asked == ["which lab"]
    assert "there is no node ha1" in done.stderr


def test_exec_without_a_command_is_a_usage_error(labs: Labs, tmp_path: Path) -> None:
    labs.add("aaaa")
    for words in (("ha1",), ("ha1", "--")):
        done = call_hadeb("lab", "exec", *words, directory=tmp_path)
        assert (done.code, done.stdout) == (2, "")
        assert "Missing argument 'COMMAND...'" in done.stderr


def test_under_sudo_it_is_the_caller_who_brought_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert from_environment({"SUDO_UID": "1000", "SUDO_USER": "jane"}).uid == 1000
    assert from_environment({"SUDO_UID": "nonsense"}).uid == 0
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert from_environment({"SUDO_UID": "0"}).uid == 1000
